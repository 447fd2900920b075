import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { lbEnv } from '../support/lab/lab.ts'
import { apply, pins, raw, useLab, web } from './support/lb.ts'
import { until } from './support/until.ts'

/** One writer at a time; readers always. */

const lab = useLab({ backends: 3 })

/** Holds the instance's lock, as a writer does, until told to let go. */
async function holdLock(): Promise<{ pid: number; release: () => Promise<void> }> {
  mkdirSync(pins(lab()), { recursive: true })
  const holder = lab().lb.spawn(['flock', '--no-fork', pins(lab()), 'sh', '-c', 'echo held; exec cat'])
  const ended = once(holder, 'exit')
  await once(holder.stdout!, 'data')
  const release = async () => {
    holder.stdin?.end()
    await ended
  }
  return { pid: holder.pid!, release }
}

const start = (args: readonly string[]) => {
  const child = lab().lb.spawn(lab().lbCommand(args), { cwd: lab().folder, env: lbEnv })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (errors += part))
  const ended = Promise.all([text(child.stdout!), once(child, 'close') as Promise<[number]>])
  return {
    pid: child.pid!,
    errors: () => errors,
    ended: ended.then(([stdout, [code]]) => ({ stdout, code })),
  }
}

test('--no-wait fails at once and names the holder', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  const { pid, release } = await holdLock()
  lab().write('lb.yaml', web(lab(), [10, 30, 60]))
  for (const args of [['apply', '--yes'], ['rollback'], ['destroy', '--yes']]) {
    const { code, stderr } = await lab().lbCli([...args, '--no-wait'])
    expect({ args, code }).toEqual({ args, code: 5 })
    expect(stderr).toMatch(new RegExp(`process ${pid} \\(.*cat.*root`))
  }
  const { code, json } = await lab().lbCli(['apply', '--yes', '--no-wait', '--json'])
  expect(code).toBe(5)
  expect(json()).toMatchObject({ formatVersion: 1, error: { code: 'locked' } })
  // Nothing that only reads needs the lock.
  for (const args of [['plan'], ['show'], ['show', '--raw'], ['history'], ['doctor'], ['validate']]) {
    await lab().lbMust(args)
  }
  await release()
  expect((await raw(lab())).generation).toBe(1)
  await lab().lbMust(['apply', '--yes', '--no-wait'])
})

test('without --no-wait an apply says for whom it waits, then goes on', async () => {
  const { pid, release } = await holdLock()
  lab().write('lb.yaml', web(lab()))
  const waiting = start(['apply', '--yes'])
  await until('it says that it waits', () => waiting.errors().includes(`waiting for process ${pid}`))
  await release()
  const { code, stdout } = await waiting.ended
  expect(code).toBe(0)
  expect(stdout).toContain('Apply complete: 6 added')
  expect(waiting.errors().match(/waiting for/g)).toHaveLength(1)
})

test('of writers at once each succeeds, or is told that the state moved', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  const { release } = await holdLock()
  const weights = [
    [10, 30, 60],
    [20, 30, 50],
    [30, 30, 40],
  ]
  const writers = weights.map((list, i) => {
    const file = lab().write(`${i}.yaml`, web(lab(), list))
    return start(['apply', '--yes', '-c', file])
  })
  for (const writer of writers) await until('it waits', () => writer.errors().includes('waiting for process'))
  await release()
  const codes = await Promise.all(writers.map(async ({ ended }) => (await ended).code))
  // All had planned before; the first to get the lock makes the plans of the others stale.
  expect([...codes].sort()).toEqual([0, 4, 4])
  expect((await raw(lab())).generation).toBe(2)
  const [won] = weights[codes.indexOf(0)]!
  expect(await lab().lbMust(['show'])).toContain(`weight: ${won}`)
})

test('the lock of a writer that was killed is free', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  const { pid, release } = await holdLock()
  process.kill(pid, 'SIGKILL')
  await release()
  lab().write('lb.yaml', web(lab(), [10, 30, 60]))
  await lab().lbMust(['apply', '--yes', '--no-wait'])
})
