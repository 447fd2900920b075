import { existsSync } from 'node:fs'

/**
 * What a lab leaves in places that outlive its process bears that process's number, so that what a
 * killed one left behind can be told from what a running one uses.
 */
export interface LabNames {
  /** Start of the name of each of its network namespaces. */
  readonly namespacePrefix: string
  /** The instance of lb, and so the folder of its pins. */
  readonly instance: string
}

let count = 0

/** Names that no other lab has. */
export function testNames(): LabNames {
  count += 1
  return { namespacePrefix: `lbt-${process.pid}-${count}-`, instance: `test-${process.pid}-${count}` }
}

/** Whether a namespace, instance or temporary folder belongs to a lab whose process is gone. */
export function isStale(name: string): boolean {
  const pid = /^(?:lbt|test)-(\d+)-\d+/.exec(name)?.[1]
  return pid !== undefined && !existsSync(`/proc/${pid}`)
}
