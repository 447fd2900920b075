/** What the daemon needs of the rest of the program: passed in by src/cli. */
import type { World } from '../engine/execute/world.ts'
import type { ProbePort } from '../engine/ports/probe.ts'
import type { ResolverPort } from '../engine/ports/resolver.ts'
import type { LiveState } from '../engine/model/live.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import type { Problem } from '../engine/model/problem.ts'
import type { HostAddresses } from '../engine/model/resolution.ts'
import type { HostName } from '../engine/model/unresolved.ts'

/** Why something did not work, for people and for programs. */
export interface Failure {
  readonly message: string
  readonly hint: string | undefined
  /** Of a configuration that is wrong. */
  readonly problems: readonly Problem[]
  /** All of it as text, with frames of source. */
  readonly text: string
}

export type Loading =
  /** The files have the digest that was not wanted; or none was read yet, and the memory has none. */
  | { readonly kind: 'same' }
  | { readonly kind: 'invalid'; readonly digest: string; readonly failure: Failure }
  | { readonly kind: 'unplanned'; readonly digest: string | undefined; readonly failure: Failure }
  | {
      readonly kind: 'planned'
      readonly digest: string | undefined
      readonly plan: ExecutablePlan
      readonly live: LiveState
      /** What a guard has against it. */
      readonly refused: Failure | undefined
      readonly appliedBefore: boolean
      readonly warnings: readonly Problem[]
    }

/** Configuration → plan, as the commands do it. */
export interface Planner {
  /** From the files, or from what they last said that was valid. */
  load(from: 'files' | 'memory', unless: string | undefined): Promise<Loading>
  /** What serves, with other addresses for its names. `undefined`: they are what they are. */
  rename(addresses: HostAddresses, inSync: boolean): ExecutablePlan | undefined
  /** All names to ask for, and the addresses that they have in what serves. */
  names(): { readonly hosts: readonly HostName[]; readonly known: HostAddresses }
}

export interface DaemonWorld {
  readonly world: World
  readonly resolver: ResolverPort
  readonly prober: ProbePort
  readonly planner: Planner
  readonly describe: (error: unknown) => Failure
}
