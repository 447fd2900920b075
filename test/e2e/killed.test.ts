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

/** Carries out an apply and gives the calls by which it changes something. */
async function callsOf(machine: Lab, args: readonly string[]): Promise<Call[]> {
  const file = join(machine.folder, 'calls.txt')
  const wrap = ['strace', '-qq', '-o', file, '-e', `trace=${CHANGING.join(',')}`]
  await machine.lbMust(['apply', '--yes', ...args], { wrap })
  const counts = new Map<string, number>()
  const calls: Call[] = []
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const name = /^[a-z]+/.exec(line)?.[0]
    if (name === undefined) continue
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    if (!LOOKING.test(line)) calls.push({ name, count, line: line.slice(0, 80) })
  }
  return calls
}

/** Starts an apply and kills it as it enters a call. True where it came so far. */
async function killAt(machine: Lab, { name, count }: Call, args: readonly string[]): Promise<boolean> {
  const wrap = ['strace', '-qq', '-o', '/dev/null', '-e', `inject=${name}:signal=SIGKILL:when=${count}`]
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
    const calls = await callsOf(lab(), keep)
    await apply(lab(), old, keep)
    const undisturbed = tree(lab())
    expect(calls.length).toBeGreaterThan(30)

    const outcomes = { killed: 0, old: 0, next: 0 }
    for (const call of calls) {
      const where = `killed at ${call.name} no. ${call.count}: ${call.line}`
      lab().write('lb.yaml', next)
      if (await killAt(lab(), call, keep)) outcomes.killed++
      const { config: shown, drift } = await state(lab())
      expect([before, after], where).toContainEqual(shown)
      outcomes[isDeepStrictEqual(shown, before) ? 'old' : 'next']++
      expect(drift, where).toEqual([])
      expect(await ask(lab()), where).toMatch(/^b[12]$/)
      await apply(lab(), old, keep)
      expect(tree(lab()), where).toEqual(undisturbed)
    }
    expect(outcomes.killed).toBe(calls.length)
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
    const calls = await callsOf(lab(), [])
    await lab().lbMust(['destroy', '--yes'])

    for (const call of calls) {
      const where = `killed at ${call.name} no. ${call.count}: ${call.line}`
      lab().write('lb.yaml', old)
      expect(await killAt(lab(), call, []), where).toBe(true)
      expect([empty, complete], where).toContain(await lab().lbMust(['show']))
      await apply(lab(), old)
      expect(await ask(lab()), where).toMatch(/^b[12]$/)
      expect(tree(lab()), where).toEqual(undisturbed)
      await lab().lbMust(['destroy', '--yes'])
    }
  },
)
