// @ts-check
/** Prepares the clone, then compiles and runs the benchmarks in bench: `npm run bench -- control`. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ensureBpffs } from './setup/bpffs.mjs'
import { root, script, SetupError, statusOf } from './setup/exec.mjs'

await script(async () => {
  if (process.getuid?.() !== 0) {
    throw new SetupError('Benchmarks load BPF programs and make network namespaces, and need root')
  }
  // What it says goes to stderr, so that stdout is the benchmark's.
  const setup = spawnSync(process.execPath, ['scripts/setup.mjs', '--bench'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (setup.status !== 0) return 1
  await ensureBpffs()
  // Not before: setup installs it.
  const { build } = await import('esbuild')
  await build({
    absWorkingDir: root,
    entryPoints: [
      'bench/main.ts',
      ...['bench/packet/inside.ts', 'bench/packet/flip-inside.ts'],
      ...['bench/watch/pages-inside.ts', 'bench/watch/entries-inside.ts'],
    ],
    outdir: 'build/bench',
    outbase: 'bench',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
    banner: { js: "import{createRequire as __lb}from'node:module';const require=__lb(import.meta.url);" },
  })
  const main = join(root, 'build/bench/main.js')
  return statusOf(process.execPath, ['--enable-source-maps', main, ...process.argv.slice(2)])
})
