/** What is measured, in this order: the table of connections fills as it goes on. */
import { type Direction, type Family } from './frames.ts'
import { type Hook } from './replay.ts'

export const TABLE_CONNECTIONS = 1_048_576

export type Scenario =
  | {
      readonly kind: 'established'
      readonly hook: Hook
      readonly family: Family
      readonly direction: Direction
      readonly flows: number
    }
  | { readonly kind: 'lookup'; readonly hook: 'xdp'; readonly flows: number }
  | { readonly kind: 'route'; readonly hook: Hook; readonly direction: Direction }
  | { readonly kind: 'other'; readonly hook: Hook; readonly what: OtherPacket }
  | { readonly kind: 'new'; readonly hook: Hook; readonly routes: Routes; readonly firstFlow: number }

/** Packets that are not ours, and what each is counted as. */
export const otherPackets = {
  'not IP': 'LB_PASS_NOT_IP',
  'TCP of no connection': 'LB_PASS_NO_CONNECTION',
  'SYN to nobody': 'LB_PASS_NO_LISTENER',
} as const
export type OtherPacket = keyof typeof otherPackets

/** Source routes of the proxy that new connections come to, and its port. */
export const routePorts = { 0: 80, 1: 81, 10_000: 82 } as const
export type Routes = keyof typeof routePorts
/** Flows of packets that have no connection. */
export const otherFlows = 65_536
/** Nobody listens here. */
export const silentPort = 99

export const flowCounts: readonly number[] = [1, 1_000, 65_536, 524_288]
/** New connections of each measurement. */
export const newConnections = 32_768

const hooks = ['xdp', 'tc'] as const
const directions = ['forward', 'reverse'] as const

const established = (family: Family, flows: number): Scenario[] =>
  hooks.flatMap((hook) =>
    directions.map((direction) => ({ kind: 'established' as const, hook, family, direction, flows })),
  )

export const scenarios: readonly Scenario[] = [
  ...flowCounts.flatMap((flows) => established('ipv4', flows)),
  ...established('ipv6', 65_536),
  ...flowCounts.map((flows) => ({ kind: 'lookup' as const, hook: 'xdp' as const, flows })),
  ...hooks.flatMap((hook) => directions.map((direction) => ({ kind: 'route' as const, hook, direction }))),
  ...hooks.flatMap((hook) =>
    Object.keys(otherPackets).map((what) => ({ kind: 'other' as const, hook, what: what as OtherPacket })),
  ),
  ...Object.keys(routePorts)
    .flatMap((routes) => hooks.map((hook) => ({ hook, routes: Number(routes) as Routes })))
    .map((one, i) => ({ ...one, kind: 'new' as const, firstFlow: flowCounts.at(-1)! + i * newConnections })),
]

/** Packets of one measurement: every flow several times, and long enough for the clock. */
export function packetsOf(scenario: Scenario): number {
  switch (scenario.kind) {
    case 'lookup':
    case 'established':
      return Math.max(524_288, 2 * scenario.flows)
    case 'route':
    case 'other':
      return 524_288
    case 'new':
      return newConnections
  }
}
