/** Attaching, through the kernel port: in memory, with tcx links, and with filters as before Linux 6.6. */
import { describe, expect, test } from 'vitest'
import type { Hook } from '../../src/engine/ports/kernel.ts'
import { fakeKernel } from '../support/fake-kernel.ts'
import { fakeInterface, fakeState, MOUNT } from '../support/fake-kernel-state.ts'
import { runTask } from '../support/kernel-child.ts'
import { SCENARIOS } from '../support/kernel-scenarios.ts'
import type { ScenarioName } from '../support/kernel-scenarios.ts'
import { mustRun } from '../support/lab/run.ts'
import { vethPair } from '../support/native-child.ts'
import { pinFolder } from '../support/native.ts'

type Result<Name extends ScenarioName> = ReturnType<(typeof SCENARIOS)[Name]>
type Runner = <Name extends ScenarioName>(name: Name, hooks: readonly Hook[]) => Promise<Result<Name>>

const inMemory: Runner = (name, hooks) => {
  const native = { native: true, redirect: true, xmit: true }
  const state = fakeState({ interfaces: [fakeInterface('v0', 7, { xdp: native })] })
  const folder = `${MOUNT}/test`
  const removeInterface = (gone: string): void => {
    state.interfaces = state.interfaces.filter((item) => item.name !== gone)
  }
  const kernel = fakeKernel(state)
  kernel.fs.makeDirectory(folder)
  return Promise.resolve(SCENARIOS[name]({ kernel, folder, removeInterface }, hooks) as Result<typeof name>)
}

const inKernel =
  (tcx: boolean): Runner =>
  async (name, hooks) => {
    const { near } = await vethPair()
    return runTask({ name, hooks, tcx, folder: pinFolder() }, near)
  }

const ALL: readonly Hook[] = ['xdp', 'xdp-generic', 'tcx-ingress', 'tcx-egress']
const TC: readonly Hook[] = ['tcx-ingress', 'tcx-egress']
const VARIANTS: readonly (readonly [string, Hook, Runner])[] = [
  ...ALL.map((hook) => ['in memory', hook, inMemory] as const),
  ...ALL.map((hook) => ['in the kernel', hook, inKernel(true)] as const),
  ...TC.map((hook) => ['in the kernel, as a filter', hook, inKernel(false)] as const),
]

const on = (program: string) => ({ program, interface: 'v0' })

describe.each(VARIANTS)('%s, %s', (_, hook, runScenario) => {
  test('a program is attached, replaced and taken off', async () => {
    expect(await runScenario('life', [hook])).toEqual({
      before: 'no link',
      attached: on('first'),
      updated: on('second'),
      pins: [`v0:${hook}`],
      detached: 'no link',
      left: [],
      again: on('first'),
    })
  })

  test('taking it off works while somebody holds it', async () => {
    expect(await runScenario('held', [hook])).toEqual({ held: true, error: 'none', after: on('second') })
  })

  test('what cannot be attached leaves nothing behind', async () => {
    const { nowhere, occupied, left, xdp } = await runScenario('refusals', [hook])
    expect(nowhere).toMatch(/^kernel (ENODEV|EINVAL)$/)
    expect({ occupied, left, xdp }).toEqual({ occupied: 'kernel EEXIST', left: [], xdp: 'none' })
  })

  test('it is gone with its interface', async () => {
    const { seen, after, left } = await runScenario('removal', [hook])
    expect(seen).toMatchObject({ interface: 'gone' })
    expect({ after, left }).toEqual({ after: 'no link', left: [] })
  })
})

const TC_VARIANTS = VARIANTS.filter(([, hook]) => TC.includes(hook))

test.each(TC_VARIANTS)('%s, %s: instances do not disturb each other', async (_, hook, runScenario) => {
  expect(await runScenario('neighbours', [hook])).toEqual({
    together: [on('first'), on('second')],
    alone: ['no link', on('second')],
  })
})

test.each([
  ['in memory', inMemory],
  ['in the kernel', inKernel(true)],
] as const)('%s, an interface has one XDP program', async (_, runScenario) => {
  expect(await runScenario('exclusive', [])).toEqual({
    errors: ['kernel EBUSY', 'kernel EEXIST'],
    modes: ['xdp', 'xdp-generic'],
    left: [],
  })
})

test.each([
  ['in memory', inMemory],
  ['in the kernel', inKernel(true)],
] as const)('%s, an instance lives through upgrades', async (_, runScenario) => {
  const observed = { drift: [], settled: true, packets: 1234, room: 4096 }
  expect(await runScenario('instance', [])).toEqual({
    seen: [
      { ...observed, generation: 1, links: ['v0:tcx-egress', 'v0:xdp'], packets: 0 },
      { ...observed, generation: 2, links: ['v0:tcx-egress', 'v0:xdp-generic'] },
      { ...observed, generation: 3, links: ['v0:tcx-egress', 'v0:tcx-ingress'], room: 16384 },
      { ...observed, generation: 2, links: ['v0:tcx-egress', 'v0:xdp-generic'], room: 16384, settled: false },
      { ...observed, generation: 4, links: ['v0:tcx-egress', 'v0:xdp'], room: 16384 },
    ],
    left: [],
  })
})

test.each([
  ['in memory', inMemory],
  ['in the kernel', inKernel(true)],
] as const)('%s, what is known of targets holds across applies and rollbacks', async (_, runScenario) => {
  const calm = { drift: 0, settled: true }
  const first = '1: 1000000 0 drain'
  const both = [first, '2: 1000000 0 drain']
  expect(await runScenario('known', [])).toEqual({
    seen: [
      { ...calm, entries: [25, 25, 25, 25], history: [] },
      { ...calm, entries: [34, 0, 33, 33], history: [first] },
      { ...calm, entries: [34, 0, 33, 33], history: [first] },
      { ...calm, entries: [50, 0, 0, 50], history: both },
      { ...calm, entries: [102, 0, 0], history: both },
      { ...calm, entries: [50, 0, 0, 50], history: both },
      { drift: 1, settled: false, entries: [49, 1, 0, 50], history: both },
      { ...calm, entries: [50, 0, 0, 50], history: both },
    ],
    left: [],
  })
})

test('a filter that could not be pinned is not left on the interface', async () => {
  const { near } = await vethPair()
  await runTask({ name: 'refusals', hooks: ['tcx-ingress'], tcx: false, folder: pinFolder() }, near)
  const filters = await mustRun(['ip', 'netns', 'exec', near, 'tc', 'filter', 'show', 'dev', 'v0', 'ingress'])
  expect(filters).toBe('')
})
