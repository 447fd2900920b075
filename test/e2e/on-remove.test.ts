import { chownSync, mkdirSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import type { PendingRemoval, PlannedRemoval } from '../../src/engine/model/removal.ts'
import { vip } from '../support/lab/topology.ts'
import { watch } from './support/daemon.ts'
import { apply, config, pins, plan, proxy, targets, useLab } from './support/lb.ts'
import type { Config, Proxy } from './support/lb.ts'
import { crowd, echoPort, serve } from './support/talk.ts'
import type { Crowd } from './support/talk.ts'
import { until } from './support/until.ts'

/** What becomes of the connections of targets that are removed, with clients on the wire and without a daemon. */

const lab = useLab({})
const at = { address: vip.ipv4, port: 80 }
const CLIENTS = 24

beforeAll(() => serve(lab().backends))

interface Ending {
  readonly onRemove?: 'keep' | 'reset'
  readonly onRemoveDeadlineSec?: number
}

const web = (count: number, ending: Ending = {}): Config => {
  const all = targets(lab().backends.slice(0, count), { port: echoPort })
  return config([{ ...proxy('web', all), ...ending }])
}

const json = async <T>(...args: string[]): Promise<T> => (await lab().lbCli([...args, '--json'])).json() as T

interface Connections {
  readonly total: number
  readonly counts: readonly { readonly target: string; readonly connections: number }[]
  readonly removals: readonly PendingRemoval[]
  readonly ended: { readonly removed: number }
}
const connections = () => json<Connections>('connections')

/** The backend of each client. */
const whose = (one: Crowd): string[] => one.answers.map((answer) => String(answer).split(' ')[0]!)

const talkers = async (): Promise<Crowd> => {
  const one = await crowd(lab().client, at, { size: CLIENTS, words: ['hi', 'again', 'more'] })
  expect([...new Set(whose(one))].sort()).toEqual(['b1', 'b2', 'b3'])
  return one
}

/** What each says, when those of `gone` were ended: they are told so, others go on. */
const expectEnded = (one: Crowd, said: readonly unknown[], word: string, gone: readonly string[]): void => {
  const expected = whose(one).map((name, i) => (gone.includes(name) ? 'ECONNRESET' : `${name} ${word} ${i}`))
  expect(said).toEqual(expected)
}

const countOf = (one: Crowd, name: string): number => whose(one).filter((other) => other === name).length

test('reset ends those of the removed target at once, and its clients are told', async () => {
  await apply(lab(), web(3))
  const one = await talkers()
  const mine = countOf(one, 'b3')
  lab().write('lb.yaml', web(2, { onRemove: 'reset' }))
  const { removals } = (await plan(lab())) as unknown as { removals: readonly PlannedRemoval[] }
  expect(removals).toMatchObject([{ proxy: 'web', port: echoPort, connections: mine, endAfterSec: 0 }])
  const shown = await lab().lbMust(['apply', '--yes'])
  expect(shown).toContain('Connections of targets that are removed:')
  expect(shown).toMatch(new RegExp(`web [0-9.]+:${echoPort}: ${mine} connections?, ended at once`))
  await until('they are gone', async () => (await connections()).total === CLIENTS - mine)
  expect(await connections()).toMatchObject({ ended: { removed: mine }, removals: [] })
  expectEnded(one, await one.goOn(), 'again', ['b3'])
  expectEnded(one, await one.goOn(), 'more', ['b3'])
})

test('keep gives them time, and the kernel ends what is left, with no process of lb', async () => {
  await apply(lab(), web(3, { onRemove: 'keep', onRemoveDeadlineSec: 3 }))
  const one = await talkers()
  const mine = countOf(one, 'b3')
  const began = performance.now()
  await apply(lab(), web(2, { onRemove: 'keep', onRemoveDeadlineSec: 3 }))
  expectEnded(one, await one.goOn(), 'again', [])
  const { removals, ended } = await connections()
  expect([removals, ended.removed]).toMatchObject([[{ proxy: 'web', connections: mine }], 0])
  expect((await json<Pick<Connections, 'removals'>>('status')).removals).toMatchObject([
    { proxy: 'web', ip: removals[0]!.ip, connections: mine },
  ])
  expect(await lab().lbMust(['status'])).toMatch(
    new RegExp(`REMOVED FROM +TARGET +CONNS +END IN\nweb +[0-9.]+:${echoPort} +${mine} +[123] s`),
  )
  await until('they are gone', async () => (await connections()).total === CLIENTS - mine)
  expect(performance.now() - began).toBeGreaterThan(3000)
  expect(performance.now() - began).toBeLessThan(3000 + 2000 + 5000)
  expect(await connections()).toMatchObject({ ended: { removed: mine }, removals: [] })
  expectEnded(one, await one.goOn(), 'more', ['b3'])
})

test('without a deadline they live on, and the plan says so', async () => {
  await apply(lab(), web(3))
  const one = await talkers()
  lab().write('lb.yaml', web(2))
  expect(await lab().lbMust(['apply', '--yes'])).toMatch(/ connections?, left until they end/)
  expectEnded(one, await one.goOn(), 'again', [])
  expect(await connections()).toMatchObject({ total: CLIENTS, removals: [], ended: { removed: 0 } })
})

test('a target that is back in time keeps its connections', async () => {
  await apply(lab(), web(3, { onRemoveDeadlineSec: 2 }))
  const one = await talkers()
  await apply(lab(), web(2, { onRemoveDeadlineSec: 2 }))
  expect((await connections()).removals).toHaveLength(1)
  await lab().lbMust(['rollback'])
  expect((await connections()).removals).toEqual([])
  const past = performance.now() + 5000
  await until('the deadline is long over', () => performance.now() > past)
  expectEnded(one, await one.goOn(), 'again', [])
  expect(await connections()).toMatchObject({ total: CLIENTS, ended: { removed: 0 } })
})

test('a proxy that goes ends what it said before, and another one that shares its targets does not', async () => {
  const all = targets(lab().backends, { port: echoPort })
  const other = proxy('other', all, { port: 81 })
  const ending = { ...proxy('web', all), onRemove: 'reset' } as Proxy
  await apply(lab(), config([ending, other]))
  const mine = await talkers()
  const theirs = await crowd(lab().client, { ...at, port: 81 }, { size: CLIENTS, words: ['hi', 'again'] })
  await apply(lab(), config([other]))
  await until('they are gone', async () => (await connections()).total === CLIENTS)
  expectEnded(mine, await mine.goOn(), 'again', ['b1', 'b2', 'b3'])
  expectEnded(theirs, await theirs.goOn(), 'again', [])
  expect(await connections()).toMatchObject({ total: CLIENTS, ended: { removed: CLIENTS } })
})

test('a daemon that reads other files does the same', async () => {
  const file = lab().write('lb.yaml', web(3, { onRemove: 'reset' }))
  await using daemon = await watch(lab(), ['-c', file])
  const one = await talkers()
  lab().write('lb.yaml', web(2, { onRemove: 'reset' }))
  await daemon.line({ event: 'reload', outcome: 'applied', trigger: 'file' })
  await until('they are gone', async () => (await connections()).ended.removed === countOf(one, 'b3'))
  expectEnded(one, await one.goOn(), 'again', ['b3'])
})

test('a user with two capabilities and no other right can do it', async () => {
  const nobody = 65534
  mkdirSync(pins(lab()), { recursive: true })
  for (const path of [pins(lab()), lab().folder]) chownSync(path, nobody, nobody)
  const caps = '+bpf,+net_admin'
  const who = ['--reuid', `${nobody}`, '--regid', `${nobody}`, '--clear-groups']
  const rights = [`--inh-caps=${caps}`, `--ambient-caps=${caps}`, `--bounding-set=-all,${caps}`]
  const wrap = ['setpriv', ...who, ...rights]
  await apply(lab(), web(3), [], { wrap })
  const one = await talkers()
  await apply(lab(), web(2, { onRemove: 'reset' }), [], { wrap })
  await until('they are gone', async () => (await connections()).ended.removed === countOf(one, 'b3'))
  expectEnded(one, await one.goOn(), 'again', ['b3'])
})

test('show gives back what plan reads', async () => {
  await apply(lab(), web(3, { onRemove: 'keep', onRemoveDeadlineSec: 60 }))
  expect(await lab().lbMust(['show'])).toContain('onRemove: keep\n    onRemoveDeadlineSec: 60\n')
  const changed = await (lab().write('lb.yaml', web(3, { onRemove: 'reset' })), lab().lbMust(['plan']))
  expect(changed).toMatch(/~ onRemove += "keep" -> "reset"\n +- onRemoveDeadlineSec = 60/)
  const shown = await lab().lbMust(['show'])
  expect(await lab().lbMust(['plan', '-c', '-'], { input: shown })).toContain('No changes')
})
