/** What takes a second process: who holds the lock, and what a user without rights is told. */
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { userInfo } from 'node:os'
import { expect, test } from 'vitest'
import { createKernel } from '../../src/kernel/kernel.ts'
import { runTask, startTask } from '../support/kernel-child.ts'
import { OBJECT_PATH, smallMap } from '../support/kernel-contract.ts'
import { end, start } from '../support/lab/run.ts'
import { pinFolder } from '../support/native.ts'

const kernel = createKernel({ objectPath: OBJECT_PATH })

async function holdElsewhere(folder: string) {
  const child = startTask({ name: 'holdLock', folder })
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  expect(JSON.parse(line)).toEqual({ locked: true })
  return child
}

test('the lock of another process keeps this one out, and its holder is named', async () => {
  const folder = pinFolder()
  // Seconds, because that is how exactly the kernel's idea of when a process began can be told.
  const before = Math.floor(Date.now() / 1000) - 1
  const child = await holdElsewhere(folder)
  const locked = Date.now()
  expect(kernel.tryLock(folder)).toBeUndefined()
  const holder = kernel.lockHolder(folder)
  expect(holder).toMatchObject({ pid: child.pid, user: userInfo().username })
  expect(holder?.command).toContain('holdLock')
  const since = Date.parse(holder?.since ?? '')
  expect(since).toBeGreaterThanOrEqual(before * 1000)
  expect(since).toBeLessThanOrEqual(locked)
})

test('the lock dies with its holder', async () => {
  const folder = pinFolder()
  const child = await holdElsewhere(folder)
  await end(child, 'SIGKILL')
  using lock = kernel.tryLock(folder)
  expect(lock).toBeDefined()
})

test('the lock is given back', async () => {
  const folder = pinFolder()
  const child = await holdElsewhere(folder)
  child.stdin?.end()
  await once(child, 'exit')
  expect(kernel.lockHolder(folder)).toBeUndefined()
  using lock = kernel.tryLock(folder)
  expect(lock).toBeDefined()
})

test('a lock that is given back soon is waited for', async () => {
  const folder = pinFolder()
  const child = start(['flock', folder, 'sh', '-c', 'echo locked; sleep 0.3'], ['ignore', 'pipe', 'inherit'])
  await once(createInterface(child.stdout!), 'line')
  expect(kernel.tryLock(folder)).toBeUndefined()
  using lock = kernel.lock(folder)
  expect(lock).toBeDefined()
  await end(child)
})

test('a lock that is not given back is not waited for for ever, and its holder is named', async () => {
  const folder = pinFolder()
  const child = await holdElsewhere(folder)
  const began = performance.now()
  expect(() => kernel.lock(folder)).toThrow(
    expect.objectContaining({
      code: 'locked',
      hint: expect.stringContaining(`process ${child.pid}`) as string,
    }),
  )
  expect(performance.now() - began).toBeGreaterThan(4000)
}, 20_000)

test('the holder is known since it began, not since somebody looked', () => {
  const folder = pinFolder()
  using lock = kernel.tryLock(folder)
  expect(lock).toBeDefined()
  const holder = kernel.lockHolder(folder)
  expect(holder?.pid).toBe(process.pid)
  expect(Math.abs(Date.parse(holder?.since ?? '') - performance.timeOrigin)).toBeLessThan(2000)
  expect(kernel.lockHolder('/')).toBeUndefined()
})

test('without rights, every call says so and what to do', async () => {
  const folder = pinFolder()
  using map = smallMap(kernel, 'hash')
  map.pin(`${folder}/map`)
  chmodSync(folder, 0o750)
  const host = { code: 'host', hint: expect.stringContaining('CAP_BPF') as string }
  expect(await runTask({ name: 'withoutRights', folder })).toEqual({
    list: host,
    makeDirectory: host,
    createMap: host,
    openMap: host,
    loadDataPlane: host,
    tryLock: host,
  })
})

test('an object that was not built is named, with how to build it', () => {
  const none = createKernel({ objectPath: '/nonexistent/lb.bpf.o' })
  expect(() => none.objectSha256).toThrow(/was not built: \/nonexistent/)
})
