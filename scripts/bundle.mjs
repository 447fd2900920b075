// @ts-check
/**
 * Bundles the program into dist/, so that starting it reads a few files and not hundreds, and
 * writes oclif's manifest of the commands, so that it loads only the one it runs.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { filesUnder } from './setup/stamps.mjs'
import { root } from './setup/exec.mjs'

/** Files that something outside the bundle names: oclif, bin/run.js, package.json. */
const entryPoints = filesUnder(['src/commands', 'src/cli/main.ts', 'src/index.ts'])

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: entryPoints.filter((file) => file.endsWith('.ts')),
  outdir: 'dist',
  outbase: 'src',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Names stay readable in stack traces; the white space alone is half of the bytes to parse.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  // oclif asks for it to read tsconfig.json in development, which we have switched off.
  external: ['typescript'],
  // CommonJS packages in the bundle call require() for Node's own modules.
  banner: { js: "import{createRequire as __lb}from'node:module';const require=__lb(import.meta.url);" },
}).catch(() => process.exit(1)) // esbuild has said what is wrong, with the place.

// Only now that there is a new one: what was built before runs until then.
rmSync(join(root, 'dist'), { recursive: true, force: true })
for (const { path, contents } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, contents)
}

// After the bundle, as this loads the commands from it.
const { Plugin, settings } = await import('@oclif/core')
settings.enableAutoTranspile = false
const plugin = new Plugin({
  root,
  type: 'core',
  isRoot: true,
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
})
await plugin.load()
writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest, null, 2)}\n`)

execFileSync(process.execPath, [join(root, 'scripts/render-help.mjs')], {
  env: { ...process.env, FORCE_COLOR: undefined, OCLIF_COLUMNS: undefined },
})
