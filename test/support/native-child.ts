import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { ChildProcess } from 'node:child_process'
import { onTestFinished } from 'vitest'
import type * as native from '../../native/index.ts'
import { bundle } from './bundle.ts'
import { removeNamespaces } from './lab/cleanup.ts'
import { testNames } from './lab/names.ts'
import { end, mustRun, start } from './lab/run.ts'

export type Native = typeof native

/**
 * Code for another process: it is sent there as text, so it can use nothing but its parameters and
 * what is global. `using` would need a helper from outside.
 */
export type Body<Args, Result> = (native: Native, args: Args) => Result | Promise<Result>

interface Answer<Result> {
  readonly value?: Result
  readonly error?: { readonly message: string; readonly code?: string }
}

/** Starts `body` in a process of its own, which ends with the test at the latest. */
export function startChild<Args, Result>(
  body: Body<Args, Result>,
  args: Args,
  namespace?: string,
): ChildProcess {
  const enter = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`]
  const child = start(
    [...enter, process.execPath, bundle('test/support/native-child-main.ts')],
    ['pipe', 'pipe', 'pipe'],
  )
  onTestFinished(() => end(child))
  child.stdin?.end(JSON.stringify({ source: body.toString(), args }))
  return child
}

/** Runs `body` in a process of its own to its end. What it throws is thrown here, with its code. */
export async function runChild<Args, Result>(
  body: Body<Args, Result>,
  args: Args,
  namespace?: string,
): Promise<Result> {
  const child = startChild(body, args, namespace)
  const closed = once(child, 'close')
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  const [status] = (await closed) as [number | null]
  if (status !== 0) throw new Error(`child ended with ${status}: ${err}`)
  const answer = JSON.parse(out) as Answer<Result>
  if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error)
  return answer.value as Result
}

/** Two namespaces joined by a veth pair, `v0` in the one and `v1` in the other, both up. Gone after the test. */
export async function vethPair(): Promise<{ readonly near: string; readonly far: string }> {
  const prefix = testNames().namespacePrefix
  const near = `${prefix}near`
  const far = `${prefix}far`
  onTestFinished(() => removeNamespaces([near, far]))
  for (const name of [near, far]) await mustRun(['ip', 'netns', 'add', name])
  await mustRun(['ip', '-n', near, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', far])
  await mustRun(['ip', '-n', near, 'link', 'set', 'v0', 'up'])
  await mustRun(['ip', '-n', far, 'link', 'set', 'v1', 'up'])
  return { near, far }
}
