import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const noDefaultExports = [
  {
    selector: 'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]',
    message: 'Export by name: a default export can be imported under any name.',
  },
]

const impureCalls = [
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0], CallExpression[callee.name="Date"]',
    message: 'The engine takes time as an argument.',
  },
]

const impureProperties = [
  { object: 'Date', property: 'now', message: 'The engine takes time as an argument.' },
  { object: 'performance', property: 'now', message: 'The engine takes time as an argument.' },
  { object: 'Math', property: 'random', message: 'The engine takes randomness as an argument.' },
]

const exit = [
  {
    object: 'process',
    property: 'exit',
    message: 'Throw an LbError: only bin/ and src/cli end the process.',
  },
  { object: 'process', property: 'exitCode', message: 'Throw an LbError: src/cli sets the exit code.' },
  {
    object: 'process',
    property: 'abort',
    message: 'Throw an LbError: only bin/ and src/cli end the process.',
  },
]

const rimGlobals = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'],
  ...['queueMicrotask', 'process', 'fetch', 'console', 'performance', 'Buffer', 'crypto', 'WebSocket'],
].map((name) => ({ name, message: 'The engine reaches the outside through src/engine/ports only.' }))

const nodeGlobals = Object.fromEntries(
  [
    ...['process', 'console', 'Buffer', 'URL', 'AbortController', 'AbortSignal', 'performance', 'fetch'],
    ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'],
    ...['TextDecoder', 'TextEncoder', 'structuredClone', 'globalThis'],
  ].map((name) => [name, 'readonly']),
)

export default defineConfig(
  globalIgnores(['**/node_modules/', 'dist/', 'build/', 'native/build/', 'coverage/', '**/*.generated.*']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: false, considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // With noUncheckedIndexedAccess, code that counts its own indexes has to say that the element is there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      'max-lines': ['error', 300],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'native/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', ...exit],
      'no-restricted-syntax': ['error', ...noDefaultExports],
    },
  },
  {
    files: ['src/engine/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...rimGlobals],
      'no-restricted-properties': ['error', ...exit, ...impureProperties],
      'no-restricted-syntax': ['error', ...noDefaultExports, ...impureCalls],
    },
  },
  {
    // oclif finds a command as the default export of its file.
    files: ['src/commands/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: { 'no-console': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    extends: [js.configs.recommended],
    languageOptions: { globals: nodeGlobals },
    rules: {
      'no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      'max-lines': ['error', 300],
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: 'readonly', require: 'readonly' } },
  },
)
