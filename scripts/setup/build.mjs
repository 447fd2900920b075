// @ts-check
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { exec } from './exec.mjs'
import { filesUnder, hashOf, isCurrent, remember } from './stamps.mjs'

/**
 * One step of the build. It is skipped while its inputs are those of its last run and everything
 * that run made is still there. Files and folders are named from the root of the repository.
 * @typedef {{
 *   name: string,
 *   inputs: readonly string[],
 *   outputs: () => string[],
 *   extra?: string,
 *   run: () => Promise<void>,
 * }} Step
 */

/** @param {string} script */
const node = (script) => exec(process.execPath, [script])

/** @param {readonly string[]} folders */
const generatedIn = (folders) => filesUnder(folders).filter((file) => /\.generated\.[^/]+$/.test(file))

/**
 * The folder whose include/node has the headers of the running Node.js, as its own packages and
 * archives install them; otherwise node-gyp downloads them.
 */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined
}

async function buildAddon() {
  const nodedir = process.env['npm_config_nodedir'] ?? nodeHeaders()
  const options = [
    '--directory=native',
    '--jobs=max',
    ...(nodedir === undefined ? [] : [`--nodedir=${nodedir}`]),
  ]
  await exec('npm', [
    'exec',
    '--no',
    '--loglevel=error',
    '--',
    'node-gyp',
    'configure',
    'build',
    '--loglevel=warn',
    ...options,
  ])
}

/** @type {readonly Step[]} */
const steps = [
  {
    name: 'types and validator of the configuration language',
    inputs: ['schema', 'scripts/generate-config.mjs', 'package-lock.json'],
    outputs: () => generatedIn(['src/engine/config']),
    run: () => node('scripts/generate-config.mjs'),
  },
  {
    name: 'native addon',
    inputs: ['native'],
    outputs: () => ['native/build/Release/lb_native.node'],
    extra: `${process.version} ${process.arch}`,
    run: buildAddon,
  },
  {
    name: 'BPF object',
    inputs: ['bpf', 'scripts/build-bpf.sh'],
    outputs: () => ['build/bpf/lb.bpf.o'],
    run: () => exec('scripts/build-bpf.sh', []),
  },
  {
    name: 'layout of maps, from BTF',
    inputs: ['build/bpf/lb.bpf.o', 'scripts/generate-layout.mjs'],
    outputs: () => ['src/engine/abi/layout.generated.ts'],
    run: () => node('scripts/generate-layout.mjs'),
  },
  {
    name: 'bundle and command manifest',
    inputs: [
      'src',
      'native',
      'schema',
      'scripts/bundle.mjs',
      'scripts/render-help.mjs',
      'package.json',
      'package-lock.json',
    ],
    outputs: () => ['oclif.manifest.json', ...filesUnder(['dist'])],
    run: () => node('scripts/bundle.mjs'),
  },
]

/** Builds what is not up to date. */
export async function build() {
  for (const step of steps) {
    const inputs = hashOf(filesUnder(step.inputs), step.extra)
    if (isCurrent(step.name, inputs)) continue
    console.log(`Building: ${step.name}`)
    await step.run()
    remember(step.name, inputs, step.outputs())
  }
}
