/*
 * What may import what. The pure core (src/engine) is plain functions over plain data, so that it
 * can be tested without a kernel; only the rim around it touches the outside world.
 *
 * test/unit/layering.test.ts runs these rules over files that break each of them.
 */

/** The folders of the engine, and what each may import besides itself and model. */
const engine = {
  model: [],
  config: ['dns'],
  abi: ['select'],
  live: ['abi', 'ports', 'drain'],
  plan: [],
  doctor: [],
  select: [],
  health: [],
  breaker: [],
  load: [],
  dns: [],
  drain: [],
  ports: [],
  watch: [],
  why: ['abi', 'select'],
  execute: ['abi', 'ports', 'live', 'plan', 'drain'],
}

const engineRules = Object.entries(engine).map(([folder, others]) => ({
  name: `engine-${folder}`,
  comment: `The engine's parts meet in engine/model, so that each can be understood, tested and replaced alone.`,
  severity: 'error',
  from: { path: `^src/engine/${folder}/` },
  to: {
    path: '^(src|native|bin|scripts|test|bench)/',
    pathNot: `^src/engine/(${[folder, 'model', ...others].join('|')})/`,
  },
}))

module.exports = {
  forbidden: [
    ...engineRules,
    {
      name: 'engine-root',
      comment: 'Files of the engine that join its parts know those parts only.',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { path: '^(src|native|bin|scripts|test|bench)/', pathNot: '^src/engine/' },
    },
    {
      name: 'engine-without-node',
      comment: 'The engine is pure: files, sockets, clocks and the environment are passed in as ports.',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only-kernel-loads-native',
      comment:
        'One adapter turns errno into our errors and bytes into our types; past it nobody sees the addon.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/kernel/' },
      to: { path: '^native/' },
    },
    {
      name: 'native-stands-alone',
      comment: 'The addon wraps system calls and knows nothing of load balancing.',
      severity: 'error',
      from: { path: '^native/' },
      to: { path: '^(src|bin|scripts|test|bench)/' },
    },
    {
      name: 'kernel-imports',
      comment: 'The adapter implements ports; what is done through them is decided elsewhere.',
      severity: 'error',
      from: { path: '^src/kernel/' },
      to: { path: '^(src|bin|scripts|test|bench)/', pathNot: '^src/(kernel|engine/(ports|model))/' },
    },
    {
      name: 'render-imports',
      comment: 'A renderer formats the data it is handed: it cannot fetch, decide or do anything.',
      severity: 'error',
      from: { path: '^src/render/' },
      to: { path: '^(src|native|bin|scripts|test|bench)/', pathNot: '^src/(render|engine/(model|plan))/' },
    },
    {
      name: 'render-without-node',
      comment:
        'The width of the terminal and whether it has colours are arguments, so output is tested as text.',
      severity: 'error',
      from: { path: '^src/render/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'daemon-imports',
      comment: 'The daemon feeds events to the machines of the engine; the kernel is passed in to it.',
      severity: 'error',
      from: { path: '^src/daemon/' },
      to: { path: '^(src|native|bin|scripts|test|bench)/', pathNot: '^src/(daemon|engine)/' },
    },
    {
      name: 'commands-apart',
      comment: 'What two commands share belongs to src/cli: a command is flags, one call and a renderer.',
      severity: 'error',
      from: { path: '^src/commands/([^.]+)' },
      to: { path: '^src/commands/', pathNot: '^src/commands/$1[.]' },
    },
    {
      name: 'commands-imports',
      comment: 'Commands get the world from src/cli/context.ts, the one place where it is put together.',
      severity: 'error',
      from: { path: '^src/commands/' },
      to: { path: '^(src|native|bin|scripts|test|bench)/', pathNot: '^src/(commands|cli|engine|render)/' },
    },
    {
      name: 'nobody-imports-the-cli',
      comment: 'The library (src/index.ts) works without oclif, a terminal or a process of its own.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli|commands)/' },
      to: { path: '^src/(cli|commands)/' },
    },
    {
      name: 'not-to-tests',
      comment: 'What is shipped cannot need what is not.',
      severity: 'error',
      from: { path: '^(src|native|bin)/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'not-to-dev-dependencies',
      comment: 'What is shipped must run after npm install --omit=dev.',
      severity: 'error',
      from: { path: '^(src|native|bin)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only', 'npm'],
      },
    },
    {
      name: 'no-cycles',
      comment: 'Files that need each other can only be understood together: they are one file, or three.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports is dead, unless something outside the import graph starts it.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          '[.]d[.]ts$',
          '[.]test[.]ts$',
          '^src/index[.]ts$',
          '^src/commands/',
          '^(bin|scripts|bench)/',
        ],
      },
      to: {},
    },
    {
      name: 'not-to-unresolvable',
      comment: 'An import that leads nowhere hides from every other rule.',
      severity: 'error',
      from: { path: '^(src|native|bin|test)/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count: a layer that names another's types depends on it.
    tsPreCompilationDeps: true,
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '^(dist|build|native/build)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
}
