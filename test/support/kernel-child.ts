/** The kernel adapter in a process of its own: in another network namespace, or without rights. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { buildSync } from 'esbuild'
import { afterAll, onTestFinished } from 'vitest'
import { OBJECT_PATH } from './kernel-contract.ts'
import type { ScenarioName } from './kernel-scenarios.ts'
import { testNames } from './lab/names.ts'
import { end, mustRun, root, start } from './lab/run.ts'

export interface ChildTask {
  readonly name: ScenarioName | 'holdLock' | 'withoutRights'
  readonly folder: string
  readonly hooks: readonly string[]
  readonly objectPath: string
  readonly tcx: boolean
}

type TaskOptions = Pick<ChildTask, 'name' | 'folder'> & Partial<Pick<ChildTask, 'hooks' | 'tcx'>>

let program: string | undefined
afterAll(() => {
  if (program !== undefined) rmSync(program)
  program = undefined
})

/** Inside the repository: the addon is found by the package.json above the file that loads it. */
function childProgram(): string {
  if (program !== undefined) return program
  const folder = join(root, 'node_modules/.cache/lb-test')
  mkdirSync(folder, { recursive: true })
  const outfile = join(folder, `${testNames().instance}-kernel.mjs`)
  const entryPoints = [join(root, 'test/support/kernel-child-main.ts')]
  buildSync({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' })
  program = outfile
  return program
}

function command(options: TaskOptions, namespace: string | undefined): string[] {
  const task: ChildTask = { hooks: [], tcx: true, objectPath: OBJECT_PATH, ...options }
  const enter = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`]
  return [...enter, process.execPath, childProgram(), JSON.stringify(task)]
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
