// @ts-check
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gitFiles, root } from '../setup/exec.mjs'

/** @typedef {import('./sample.mjs').Mutant} Mutant */

/** @type {Readonly<Record<string, string>>} */
const opposites = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  '&&': '||',
  '||': '&&',
}

/** States that a fault puts in the place of another. */
/** @type {Readonly<Record<string, string>>} */
const otherStates = {
  LB_CONN_SYN: 'LB_CONN_SYN_ACK',
  LB_CONN_SYN_ACK: 'LB_CONN_SYN',
  LB_CONN_ESTABLISHED: 'LB_CONN_SYN_ACK',
  LB_CONN_FIN_CLIENT: 'LB_CONN_FIN_BACKEND',
  LB_CONN_FIN_BACKEND: 'LB_CONN_FIN_CLIENT',
  LB_CONN_TIME_WAIT: 'LB_CONN_RESET',
  LB_CONN_RESET: 'LB_CONN_TIME_WAIT',
  LB_CONN_UDP_ONEWAY: 'LB_CONN_UDP_STREAM',
  LB_CONN_UDP_STREAM: 'LB_CONN_UDP_ONEWAY',
}

/** @type {readonly { operator: string, pattern: RegExp, instead: (found: string) => string }[]} */
const rules = [
  {
    operator: 'comparison',
    pattern: /(?<= )([<>]=?|[=!]=)(?= )/g,
    instead: (found) => opposites[found] ?? '',
  },
  { operator: 'logic', pattern: /&&|\|\|/g, instead: (found) => opposites[found] ?? '' },
  { operator: 'direction', pattern: /\b(?:t->)?reverse (?=\?|&&|\|\|)/g, instead: (found) => `!${found}` },
  { operator: 'negation', pattern: /(?<=[( ])!(?=[\w(])/g, instead: () => '' },
  { operator: 'number', pattern: /(?<![\w.])(0x[0-9a-f]+|\d+)\b/g, instead: (found) => `(${found} + 1)` },
  { operator: 'mask', pattern: /(?<= )&(?= \w)/g, instead: () => '|' },
  { operator: 'arithmetic', pattern: /(?<= )[+-](?==? )/g, instead: (found) => (found === '+' ? '-' : '+') },
  { operator: 'state', pattern: /\bLB_CONN_[A-Z_]+\b/g, instead: (found) => otherStates[found] ?? '' },
  {
    operator: 'boolean',
    pattern: /\b(true|false)\b/g,
    instead: (found) => (found === 'true' ? 'false' : 'true'),
  },
  { operator: 'call', pattern: /(?<=\n\t+)[a-z]\w+\([^;{}]*\);/g, instead: () => ';' },
  {
    operator: 'assignment',
    pattern: /(?<=\n\t+)[*\w>.[\]-]+( [+-]?= [^;{}]*|\+\+|--);/g,
    instead: () => ';',
  },
  { operator: 'guard', pattern: /(?<=\n\t+)if \([^;{}]*\)\n\t+(return|break)[^;]*;/g, instead: () => ';' },
  { operator: 'fallback', pattern: /return \w+ \? [^;]* : NULL;/g, instead: () => 'return NULL;' },
]

/**
 * The same length, without comments and preprocessor lines other than definitions of numbers.
 * @param {string} source
 */
function codeOnly(source) {
  const blank = (/** @type {string} */ text) => text.replace(/[^\n]/g, ' ')
  return source.replace(/\/\*[^]*?\*\//g, blank).replace(/^#(?!define \w+ \d).*$/gm, blank)
}

/** @returns {Mutant[]} every fault that the rules make of the data plane */
export function cMutants() {
  return gitFiles(['bpf/lib', 'bpf/stage', 'bpf/lb.tc.bpf.c', 'bpf/lb.xdp.bpf.c']).flatMap((file) => {
    const code = codeOnly(readFileSync(join(root, file), 'utf8'))
    return rules.flatMap(({ operator, pattern, instead }) =>
      [...code.matchAll(pattern)].flatMap(({ 0: found, index }) => {
        const text = instead(found)
        return text === '' && operator === 'state'
          ? []
          : [{ file, operator, start: index, end: index + found.length, text }]
      }),
    )
  })
}

const object = 'build/bpf/lb.bpf.o'

/**
 * The object's code and data, without the source lines that BTF keeps of it.
 * @param {string} folder the root of a copy
 */
export function codeIn(folder) {
  const code = join(folder, `${object}.code`)
  const args = ['-R', '.BTF', '-R', '.BTF.ext', '-o', code, join(folder, object)]
  execFileSync(process.env['LLVM_STRIP'] ?? 'llvm-strip', args)
  return readFileSync(code)
}

/**
 * Whether the copy's data plane compiles and the kernel takes it.
 * @param {string} folder
 */
export function buildsIn(folder) {
  if (spawnSync('scripts/build-bpf.sh', { cwd: folder }).status !== 0) return false
  const pins = `/sys/fs/bpf/lb-test-mutation-${process.pid}`
  try {
    return spawnSync('bpftool', ['prog', 'loadall', object, pins], { cwd: folder }).status === 0
  } finally {
    rmSync(pins, { recursive: true, force: true })
  }
}

/** What to run, until something fails: the quickest to notice first. */
export const datapathTests = [
  ['state', 'forward', 'reasons', 'segments', 'older-tables'],
  ['random'],
  ['fared', 'select'],
  ['limit', 'sweep', 'removed', 'damage', 'hop'],
  ['race', 'flip.test'],
].map((names) => ['run', ...names.map((name) => `test/datapath/${name}`), '--project', 'datapath'])
