/** What the executor works with: passed in, so that tests can make any of it fail. */
import { instancePaths } from '../model/paths.ts'
import type { InstancePaths } from '../model/paths.ts'
import type { HostPort } from '../ports/host.ts'
import type { KernelPort } from '../ports/kernel.ts'

export interface World {
  readonly kernel: KernelPort
  readonly host: HostPort
  readonly instance: string
  readonly paths: InstancePaths
}

/** Steps of an apply, in order. */
export type Step =
  'recover' | 'prepare' | 'stage' | 'verify' | 'attach' | 'remove' | 'flip' | 'check' | 'prune'
export type OnStep = (step: Step, detail: string) => void

export function makeWorld(kernel: KernelPort, host: HostPort, instance: string): World {
  return { kernel, host, instance, paths: instancePaths(instance) }
}
