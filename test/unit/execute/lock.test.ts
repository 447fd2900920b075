import { describe, expect, test } from 'vitest'
import { describeHolder, withLock } from '../../../src/engine/execute/lock.ts'
import type { LockOptions } from '../../../src/engine/execute/lock.ts'
import type { World } from '../../../src/engine/execute/world.ts'
import { destroy } from '../../../src/engine/execute/destroy.ts'
import type { LockHolder } from '../../../src/engine/ports/kernel.ts'
import { dieAt } from '../../support/fake-kernel-session.ts'
import { fakeState } from '../../support/fake-kernel-state.ts'
import { fresh } from './support.ts'

const alice: LockHolder = { pid: 4711, command: 'lb apply', user: 'alice', since: '2026-01-01T00:00:00.000Z' }
const NAMED = 'process 4711 (lb apply, user alice, since 2026-01-01T00:00:00.000Z)'

/** Lets others run between two tries, as a pause does. */
const waiting: LockOptions = { wait: true, onWait: () => undefined, pause: () => Promise.resolve() }
const notWaiting: LockOptions = { ...waiting, wait: false }

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe('two writers', () => {
  test('take turns', async () => {
    const state = fakeState()
    const events: string[] = []
    const write = (world: World, name: string): Promise<void> =>
      withLock(world, waiting, async () => {
        events.push(`${name} begins`)
        for (let i = 0; i < 5; i++) await Promise.resolve()
        events.push(`${name} ends`)
      })
    await Promise.all(['a', 'b', 'c'].map((name) => write(fresh(state), name)))
    expect(events).toHaveLength(6)
    for (let i = 0; i < 6; i += 2) expect(events[i + 1]).toBe(events[i]?.replace('begins', 'ends'))
  })

  test('a second that does not wait is refused, and told by whom', async () => {
    const state = fakeState()
    const { opened, open } = gate()
    const first = withLock(fresh(state, { holder: alice }), waiting, () => opened)
    const second = withLock(fresh(state), notWaiting, () => undefined)
    await expect(second).rejects.toMatchObject({
      code: 'locked',
      message: `instance test is being changed by ${NAMED}`,
      hint: 'wait for it to end, or leave out --no-wait',
    })
    open()
    await first
  })

  test('a second that waits says so once, and goes on when the first is done', async () => {
    const state = fakeState()
    const { opened, open } = gate()
    const first = withLock(fresh(state, { holder: alice }), waiting, () => opened)
    const told: string[] = []
    let tries = 0
    const second = withLock(
      fresh(state),
      {
        wait: true,
        onWait: (holder) => void told.push(describeHolder(holder)),
        pause: async () => {
          if (++tries < 3) return
          open()
          await first
        },
      },
      () => 'done',
    )
    expect(await second).toBe('done')
    expect(tries).toBe(3)
    expect(told).toEqual([NAMED])
  })

  test('the lock is given back when the work fails', async () => {
    const state = fakeState()
    await expect(
      withLock(fresh(state), waiting, () => {
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await withLock(fresh(state), notWaiting, () => 'next')).toBe('next')
  })

  test('the lock of a killed process is free', async () => {
    const state = fakeState()
    const world = fresh(state, { fault: dieAt(6) })
    await expect(withLock(world, waiting, () => world.kernel.fs.list(world.paths.root))).rejects.toThrow(
      'killed',
    )
    expect(await withLock(fresh(state), notWaiting, () => 'next')).toBe('next')
  })

  test('a folder that holds nothing goes with the lock that it was made for, and no other', async () => {
    const state = fakeState()
    const { kernel, paths } = fresh(state)
    await withLock(fresh(state), waiting, () => undefined)
    expect(kernel.fs.list(paths.root)).toBeUndefined()
    kernel.fs.makeDirectory(paths.root)
    await withLock(fresh(state), waiting, () => undefined)
    expect(kernel.fs.list(paths.root)).toEqual([])
  })

  test('one that waited while the instance was destroyed gets a new one', async () => {
    const state = fakeState()
    const { opened, open } = gate()
    const one = fresh(state)
    const first = withLock(one, waiting, async () => {
      await opened
      destroy(one, () => undefined)
    })
    const second = withLock(fresh(state), waiting, () => fresh(state).kernel.fs.list('/sys/fs/bpf/lb/test'))
    open()
    await first
    expect(await second).toEqual([])
  })
})

test('holders are described as far as they are known', () => {
  expect(describeHolder(alice)).toBe(NAMED)
  expect(describeHolder({ ...alice, user: undefined, since: undefined })).toBe('process 4711 (lb apply)')
  expect(describeHolder(undefined)).toBe('another process')
})
