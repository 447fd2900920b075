/** The kernel adapter in a process of its own: in another network namespace, or without rights. */
import type { ChildProcess } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { bundle } from './bundle.ts'
import { OBJECT_PATH } from './kernel-contract.ts'
import type { ScenarioName } from './kernel-scenarios.ts'
import { end, mustRun, start } from './lab/run.ts'

export interface ChildTask {
  readonly name: ScenarioName | 'holdLock' | 'withoutRights'
  readonly folder: string
  readonly hooks: readonly string[]
  readonly objectPath: string
  readonly tcx: boolean
}

type TaskOptions = Pick<ChildTask, 'name' | 'folder'> & Partial<Pick<ChildTask, 'hooks' | 'tcx'>>

function command(options: TaskOptions, namespace: string | undefined): string[] {
  const task: ChildTask = { hooks: [], tcx: true, objectPath: OBJECT_PATH, ...options }
  const enter = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`]
  return [...enter, process.execPath, bundle('test/support/kernel-child-main.ts'), JSON.stringify(task)]
}

/** Runs a task to its end; what it found. */
export async function runTask<Result>(options: TaskOptions, namespace?: string): Promise<Result> {
  return JSON.parse(await mustRun(command(options, namespace))) as Result
}

/** Starts a task that goes on until its standard input ends, or with the test at the latest. */
export function startTask(options: TaskOptions): ChildProcess {
  const child = start(command(options, undefined), ['pipe', 'pipe', 'inherit'])
  onTestFinished(() => end(child))
  return child
}
