import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { type Lab } from '../support/netns.ts'
import { apply, ask, config, pins, proxy, targets, useLab, type Config } from './support/lb.ts'

/**
 * Nothing half-done survives: an apply is killed at each of its system calls that changes something.
 * Killed at one that only looks, it leaves what it would at the next one that changes something.
 */

const lab = useLab({ backends: 2, clients: 2 })

/** Some hundred applies each. */
const long = { timeout: 900_000 }

const CHANGING = ['bpf', 'mkdir', 'rename', 'unlink', 'rmdir'] as const
const LOOKING =
  /^bpf\(BPF_(OBJ_GET|OBJ_GET_INFO_BY_FD|MAP_LOOKUP_ELEM|MAP_GET_NEXT_KEY|MAP_LOOKUP_BATCH|PROG_TEST_RUN|BTF_LOAD|PROG_GET_FD_BY_ID|LINK_GET_FD_BY_ID),|^bpf\(BPF_PROG_LOAD, \{prog_type=BPF_PROG_TYPE_SOCKET_FILTER/

interface Call {
  readonly name: string
  /** How many calls of that name there were up to this one. */
  readonly count: number
  readonly line: string
}

/** Carries out an apply and gives what it called. */
async function trace(machine: Lab, options: readonly string[], args: readonly string[]): Promise<string[]> {
  const file = join(machine.folder, 'calls.txt')
  const wrap = ['strace', '-qq', '-o', file, ...options]
  await machine.lbMust(['apply', '--yes', ...args], { wrap })
  return readFileSync(file, 'utf8').split('\n')
}

interface Threads {
  /** Those that Node starts for itself. */
  readonly ofNode: number
  /** Those in which lb writes rows of maps of maps at the same time. */
  readonly own: number
}

async function threadsOf(machine: Lab, args: readonly string[]): Promise<Threads> {
  const lines = await trace(machine, ['-e', 'trace=clone3,mkdir'], args)
  const first = lines.findIndex((line) => line.startsWith('mkdir'))
  const count = (some: readonly string[]) => some.filter((line) => line.startsWith('clone3')).length
  const threads = { ofNode: count(lines.slice(0, first)), own: count(lines.slice(first)) }
  expect(threads.own).toBeGreaterThan(5)
  return threads
}

/** Options of strace under which rows are written one by one, as they are where there can be no more threads. */
function alone({ ofNode }: Threads): string[] {
  return ['-e', `inject=clone3:error=EAGAIN:when=${ofNode + 1}+`]
}

/** Carries out an apply and gives the calls by which it changes something. */
async function callsOf(machine: Lab, options: readonly string[], args: readonly string[]): Promise<Call[]> {
  const lines = await trace(machine, ['-e', `trace=${CHANGING.join(',')}`, ...options], args)
  const counts = new Map<string, number>()
  const calls: Call[] = []
  for (const line of lines) {
    const name = /^[a-z]+/.exec(line)?.[0]
    if (name === undefined) continue
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    if (!LOOKING.test(line)) calls.push({ name, count, line: line.slice(0, 80) })
  }
  return calls
}

/** Starts an apply and kills it as it enters a call. True where it came so far. */
async function killAt(
  machine: Lab,
  { name, count }: Call,
  options: readonly string[],
  args: readonly string[],
): Promise<boolean> {
  const kill = `inject=${name}:signal=SIGKILL:when=${count}`
  const wrap = ['strace', '-qq', '-o', '/dev/null', '-e', kill, ...options]
  const { code } = await machine.lbCli(['apply', '--yes', ...args], { wrap })
  return code === 137
}

interface State {
  readonly config: unknown
  readonly drift: readonly unknown[]
}

async function state(machine: Lab): Promise<State> {
  return JSON.parse(await machine.lbMust(['show', '--json'])) as State
}

/** Pins, with generations by their order and not their number. */
function tree(machine: Lab): string[] {
  const all = readdirSync(pins(machine), { recursive: true, encoding: 'utf8' })
  const numbers = readdirSync(pins(machine, 'gen'))
    .map(Number)
    .sort((a, b) => a - b)
  return all.map((path) => path.replace(/^gen\/(\d+)/, (_, n) => `gen/#${numbers.indexOf(Number(n))}`)).sort()
}

/** The old configuration and the new: other weights, a proxy more, on an interface more. */
function both(machine: Lab): { old: Config; next: Config } {
  const [one, two] = machine.backends
  const web = (a: number) => proxy('web', targets([one!, two!], { weights: [a, 100 - a] }))
  const more = proxy('more', targets([two!]), { interfaces: ['front1'], port: 81 })
  return { old: config([web(50)]), next: config([web(20), more]) }
}

test(
  'an apply killed at any of its calls leaves the old generation or the new one, whole',
  long,
  async () => {
    const { old, next } = both(lab())
    const keep = ['--keep', '2']
    await apply(lab(), old, keep)
    const { config: before } = await state(lab())
    await apply(lab(), next, keep)
    const { config: after } = await state(lab())
    await apply(lab(), old, keep)
    lab().write('lb.yaml', next)
    const threads = await threadsOf(lab(), keep)
    await apply(lab(), old, keep)
    lab().write('lb.yaml', next)
    const calls = await callsOf(lab(), alone(threads), keep)
    await apply(lab(), old, keep)
    const undisturbed = tree(lab())
    expect(calls.length).toBeGreaterThan(30)

    const outcomes = { killed: 0, old: 0, next: 0 }
    const killed = async (call: Call, options: readonly string[]) => {
      const where = `killed at ${call.name} no. ${call.count}: ${call.line}`
      lab().write('lb.yaml', next)
      if (await killAt(lab(), call, options, keep)) outcomes.killed++
      const { config: shown, drift } = await state(lab())
      expect([before, after], where).toContainEqual(shown)
      outcomes[isDeepStrictEqual(shown, before) ? 'old' : 'next']++
      expect(drift, where).toEqual([])
      expect(await ask(lab()), where).toMatch(/^b[12]$/)
      await apply(lab(), old, keep)
      expect(tree(lab()), where).toEqual(undisturbed)
    }
    for (const call of calls) await killed(call, alone(threads))
    expect(outcomes.killed).toBe(calls.length)
    for (let i = 1; i <= threads.own; i++) {
      await killed({ name: 'clone3', count: threads.ofNode + i, line: 'rows at the same time' }, [])
    }
    expect(outcomes.killed).toBe(calls.length + threads.own)
    // The flip lies between: both were seen.
    expect(Math.min(outcomes.old, outcomes.next)).toBeGreaterThan(0)
  },
)

test(
  'the first apply killed at any of its calls leaves nothing, or all, and the next one succeeds',
  long,
  async () => {
    const { old } = both(lab())
    await apply(lab(), old)
    const complete = await lab().lbMust(['show'])
    const undisturbed = tree(lab())
    await lab().lbMust(['destroy', '--yes'])
    const empty = await lab().lbMust(['show'])
    const options = alone(await threadsOf(lab(), []))
    await lab().lbMust(['destroy', '--yes'])
    const calls = await callsOf(lab(), options, [])
    await lab().lbMust(['destroy', '--yes'])

    for (const call of calls) {
      const where = `killed at ${call.name} no. ${call.count}: ${call.line}`
      lab().write('lb.yaml', old)
      expect(await killAt(lab(), call, options, []), where).toBe(true)
      expect([empty, complete], where).toContain(await lab().lbMust(['show']))
      await apply(lab(), old)
      expect(await ask(lab()), where).toMatch(/^b[12]$/)
      expect(tree(lab()), where).toEqual(undisturbed)
      await lab().lbMust(['destroy', '--yes'])
    }
  },
)
