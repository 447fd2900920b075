import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser'
import { afterAll, expect, test } from 'vitest'

interface Configuration extends IFlattenedRuleSet {
  readonly options: object
}

const configuration = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as Configuration

/** Files that break rules, and which. Imports are written from the root: `src/engine/model/a.ts`. */
const breaches: readonly { readonly file: string; readonly imports: string; readonly rules: string }[] = [
  { file: 'src/engine/model/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-model' },
  { file: 'src/engine/config/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-config' },
  { file: 'src/engine/abi/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-abi' },
  { file: 'src/engine/live/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-live' },
  { file: 'src/engine/plan/a.ts', imports: 'src/engine/ports/kernel.ts', rules: 'engine-plan' },
  { file: 'src/engine/select/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-select' },
  { file: 'src/engine/ports/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-ports' },
  { file: 'src/engine/execute/a.ts', imports: 'src/engine/config/load.ts', rules: 'engine-execute' },
  { file: 'src/engine/doctor/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-doctor' },
  { file: 'src/engine/breaker/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-breaker' },
  { file: 'src/engine/health/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-health' },
  { file: 'src/engine/dns/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-dns' },
  { file: 'src/engine/drain/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-drain' },
  { file: 'src/engine/load/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-load' },
  { file: 'src/engine/watch/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-watch' },
  { file: 'src/engine/why/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'engine-why' },
  { file: 'src/engine/a.ts', imports: 'src/render/text.ts', rules: 'engine-root' },
  { file: 'src/engine/select/b.ts', imports: 'node:fs', rules: 'engine-without-node' },
  { file: 'src/cli/a.ts', imports: 'native/index.ts', rules: 'only-kernel-loads-native' },
  { file: 'native/a.ts', imports: 'src/engine/model/b.ts', rules: 'native-stands-alone' },
  { file: 'src/kernel/a.ts', imports: 'src/engine/plan/diff.ts', rules: 'kernel-imports' },
  { file: 'src/render/a.ts', imports: 'src/engine/ports/kernel.ts', rules: 'render-imports' },
  { file: 'src/render/b.ts', imports: 'node:tty', rules: 'render-without-node' },
  { file: 'src/daemon/a.ts', imports: 'src/kernel/b.ts', rules: 'daemon-imports' },
  { file: 'src/commands/plan.ts', imports: 'src/commands/apply.ts', rules: 'commands-apart' },
  { file: 'src/commands/show.ts', imports: 'src/kernel/b.ts', rules: 'commands-imports' },
  { file: 'src/index.ts', imports: 'src/cli/b.ts', rules: 'nobody-imports-the-cli' },
  { file: 'src/cli/c.ts', imports: 'test/support/a.ts', rules: 'not-to-tests' },
  { file: 'src/cli/d.ts', imports: 'only-for-tests', rules: 'not-to-dev-dependencies' },
  { file: 'src/cli/circle.ts', imports: 'src/cli/circle.ts', rules: 'no-cycles' },
  { file: 'src/cli/e.ts', imports: 'src/cli/missing.ts', rules: 'not-to-unresolvable' },
  { file: 'src/cli/alone.ts', imports: '', rules: 'no-orphans' },
]

const innocent = [
  'src/engine/config/load.ts',
  'src/engine/plan/diff.ts',
  'src/engine/ports/kernel.ts',
  'src/engine/model/b.ts',
  'src/render/text.ts',
  'src/kernel/b.ts',
  'src/commands/apply.ts',
  'src/cli/b.ts',
  'native/index.ts',
  'test/support/a.ts',
]

const root = mkdtempSync(join(tmpdir(), 'lb-layering-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function importOf(from: string, to: string): string {
  if (to === '') return 'export {}\n'
  const ours = /^(src|native|test)\//.test(to)
  const specifier = ours ? `${'../'.repeat(from.split('/').length - 1)}${to}` : to
  // The engine's are imports of types only, which the rules count too.
  return from.startsWith('src/engine/') ? `import type {} from '${specifier}'\n` : `import '${specifier}'\n`
}

test('each layering rule catches the import it is about', async () => {
  write('package.json', '{"name":"fixture","type":"module","devDependencies":{"only-for-tests":"1.0.0"}}')
  write('tsconfig.json', '{"compilerOptions":{"module":"nodenext","allowImportingTsExtensions":true}}')
  write(
    'node_modules/only-for-tests/package.json',
    '{"name":"only-for-tests","version":"1.0.0","main":"i.js"}',
  )
  write('node_modules/only-for-tests/i.js', '')
  for (const path of innocent) write(path, 'export {}\n')
  for (const { file, imports } of breaches) write(file, importOf(file, imports))

  const { output } = await cruise(['src', 'native', 'test'], {
    ...configuration.options,
    baseDir: root,
    tsConfig: { fileName: join(root, 'tsconfig.json') },
    ruleSet: { forbidden: configuration.forbidden ?? [] },
    validate: true,
  })
  const found = (output as ICruiseResult).summary.violations
    .map((violation) => `${violation.rule.name}: ${violation.from}`)
    .sort()
  expect(found).toEqual(breaches.map(({ rules, file }) => `${rules}: ${file}`).sort())
})

test('every rule has a file that breaks it and a comment that says why it stands', () => {
  const rules = configuration.forbidden ?? []
  expect(rules.map((rule) => rule.name).sort()).toEqual(breaches.map((breach) => breach.rules).sort())
  for (const rule of rules) expect(rule.comment?.length, rule.name).toBeGreaterThan(30)
})
