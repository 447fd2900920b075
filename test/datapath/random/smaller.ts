/** Cases that are a little smaller than a given one. */
import type { Configuration, Endpoint, Listener } from '../../support/model.ts'
import type { Extra } from '../support/flow.ts'
import type { Case, Packet, Step } from './case.ts'
import { PLAIN_BACKEND } from './frames.ts'
import { smallerNumbers, withoutKeys, withoutParts, withSmallerParts } from './reduce.ts'

/** Fewer packets first, then a smaller configuration, then plainer packets. */
export function* smallerCases(value: Case): Generator<Case> {
  const { configurations, steps } = value
  for (const list of withoutParts(steps)) yield { ...value, steps: list }
  yield* fewerConfigurations(value)
  yield* smallerGroups(value)
  for (const list of withSmallerParts(configurations, smallerConfigurations)) {
    yield { ...value, configurations: list }
  }
  for (const list of withSmallerParts(steps, smallerSteps)) yield { ...value, steps: list }
}

function* fewerConfigurations({ configurations, steps }: Case): Generator<Case> {
  if (configurations.length < 2) return
  const packets = steps.map((step): Step => {
    return 'activate' in step && step.activate !== 'none' ? { activate: 0 } : step
  })
  for (const configuration of configurations) yield { configurations: [configuration], steps: packets }
}

/** Groups are those of all configurations, so they are made smaller in all of them. */
function* smallerGroups({ configurations, steps }: Case): Generator<Case> {
  const groups = configurations[0]!.groups
  const withGroups = (smaller: Configuration['groups']): Case => ({
    steps,
    configurations: configurations.map((configuration) => ({ ...configuration, groups: smaller })),
  })
  const used = new Set(configurations.flatMap(({ listeners }) => listeners.flatMap(groupsOf)))
  const names = Object.keys(groups)
  const needed = names.filter((name) => used.has(name))
  if (needed.length < names.length) {
    yield withGroups(Object.fromEntries(needed.map((name) => [name, groups[name]!])))
  }
  for (const [name, run] of Object.entries(groups)) {
    for (const smaller of smallerRuns(run)) yield withGroups({ ...groups, [name]: smaller })
  }
}

/** One of the targets alone, or fewer, or plainer ones; never none, which means something else. */
function* smallerRuns(run: readonly Endpoint[]): Generator<readonly Endpoint[]> {
  if (run.length > 1) {
    for (const endpoint of run) yield [endpoint]
    for (const list of withoutParts(run)) if (list.length > 0) yield list
  }
  yield* withSmallerParts(run, plainerEndpoints)
}

function plainerEndpoints({ ip, port }: Endpoint): Endpoint[] {
  const plain = ip.includes(':') ? PLAIN_BACKEND.ipv6 : PLAIN_BACKEND.ipv4
  return ip === plain.ip && port === plain.port ? [] : [plain]
}

const groupsOf = ({ group, routes = [] }: Listener): string[] => [
  group,
  ...routes.map((route) => route.group),
]

function* smallerConfigurations(value: Configuration): Generator<Configuration> {
  yield* withoutKeys(value, ['interfaces', 'maxConnections'])
  for (const listeners of withoutParts(value.listeners)) yield { ...value, listeners }
  for (const listeners of withSmallerParts(value.listeners, smallerListeners)) yield { ...value, listeners }
  if (!value.interfaces) return
  for (const names of withoutParts(Object.keys(value.interfaces))) {
    const interfaces = Object.fromEntries(names.map((name) => [name, value.interfaces![name]!]))
    yield { ...value, interfaces }
  }
}

function* smallerListeners(value: Listener): Generator<Listener> {
  yield* withoutKeys(value, ['routes'])
  for (const routes of withoutParts(value.routes ?? [])) yield { ...value, routes }
}

function* smallerSteps(step: Step): Generator<Step> {
  if ('activate' in step) return
  const { hook, extra = {}, damage = [] } = step
  yield* withoutKeys(step, ['damage', 'zeroSum', 'extra'])
  for (const list of withoutParts(damage)) if (list.length > 0) yield { ...step, damage: list }
  for (const smaller of smallerExtras(extra)) yield { ...step, extra: smaller }
  // All at one hook, where that is no matter, make a case easier to read, and some packets needless.
  if (hook === 'ingress') yield { ...step, hook: 'xdp' }
}

const COUNTS = ['payload', 'trailer', 'tcpOptions', 'ipOptions', 'tos'] as const

function* smallerExtras(extra: NonNullable<Packet['extra']>): Generator<Extra> {
  yield* withoutKeys(extra, Object.keys(extra) as (keyof Extra)[])
  for (const key of COUNTS) {
    const unit = key.endsWith('Options') ? 4 : 1
    for (const number of smallerNumbers((extra[key] ?? 0) / unit)) yield { ...extra, [key]: unit * number }
  }
  if (extra.extensions) {
    for (const extensions of withoutParts(extra.extensions)) {
      if (extensions.length > 0) yield { ...extra, extensions }
    }
  }
}
