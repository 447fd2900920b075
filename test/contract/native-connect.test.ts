import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Connector } from '../../native/index.ts'
import { until } from '../e2e/support/until.ts'
import { listening } from '../support/listening.ts'
import { runChild } from '../support/native-child.ts'
import { fullServer, unusedPort } from '../support/probing.ts'

const any = (value: unknown): never => value as never
const ECONNREFUSED = 111
const ENETUNREACH = 101
const EINVAL = 22

interface Outcomes {
  readonly connector: Connector
  readonly outcomes: Map<number, number>
}

function open(onOutcome: (id: number) => void = () => undefined): Outcomes {
  const outcomes = new Map<number, number>()
  const connector = new Connector((id, errno) => {
    outcomes.set(id, errno)
    onOutcome(id)
  })
  onTestFinished(() => connector.close())
  return { connector, outcomes }
}

test('connections are opened and reset, or fail with an errno, each by its id', async () => {
  const resets: string[] = []
  await using server = await listening(
    createServer((socket) =>
      socket.on('error', (error) => resets.push((error as { code?: string }).code ?? '')),
    ),
  )
  await using server6 = await listening(createServer(), '::1')
  const { connector, outcomes } = open()
  const good = connector.start('127.0.0.1', server.port)
  const good6 = connector.start('::1', server6.port)
  const refused = connector.start('127.0.0.1', await unusedPort())
  expect(outcomes.size).toBe(0)
  await until('all outcomes', () => outcomes.size === 3)
  expect([good, good6, refused].map((id) => outcomes.get(id))).toEqual([0, 0, ECONNREFUSED])
  await until('a reset', () => resets.length === 1)
  expect(resets).toEqual(['ECONNRESET'])
})

test('what cannot begin says so at once', () => {
  const { connector } = open()
  expect(connector.start('no address', 1)).toBe(-EINVAL)
  expect(connector.start('2001:db8::1%lo', 1)).toBe(-EINVAL)
  expect(connector.start('224.0.0.1', 1)).toBe(-ENETUNREACH)
  expect(() => connector.start('127.0.0.1', 65_536)).toThrow(RangeError)
  expect(() => connector.start(any(1), 1)).toThrow(TypeError)
  expect(() => new Connector(any('callback'))).toThrow(TypeError)
  expect(() => connector.stop(-1)).toThrow(RangeError)
})

test('a stopped one has no outcome, and another with its socket is not taken for it', async () => {
  await using full = await fullServer()
  await using server = await listening(createServer())
  const { connector, outcomes } = open()
  const stopped = connector.start('127.0.0.1', full.port)
  connector.stop(stopped)
  const other = connector.start('127.0.0.1', server.port)
  expect(other).not.toBe(stopped)
  connector.stop(stopped)
  await until('the other outcome', () => outcomes.size > 0)
  expect([...outcomes]).toEqual([[other, 0]])
})

test('a callback may stop those whose outcome is about to come, and start more', async () => {
  await using server = await listening(createServer())
  const ids: number[] = []
  const { connector, outcomes } = open((id) => {
    if (ids.indexOf(id) !== 0 && outcomes.size > 1) return
    for (const other of ids) connector.stop(other)
    ids.push(connector.start('127.0.0.1', server.port))
  })
  for (let i = 0; i < 20; i++) ids.push(connector.start('127.0.0.1', server.port))
  await until('the outcome of the last one', () => ids.length > 20 && outcomes.has(ids.at(-1)!))
  expect(outcomes.size).toBe(2)
})

test('its own callback may close it; no outcome comes after, and nothing can be started', async () => {
  await using server = await listening(createServer())
  const { connector, outcomes } = open(() => connector.close())
  for (let i = 0; i < 20; i++) connector.start('127.0.0.1', server.port)
  await until('an outcome', () => outcomes.size > 0)
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  expect(outcomes.size).toBe(1)
  expect(connector.start('127.0.0.1', server.port)).toBeLessThan(0)
  connector.stop(1)
})

test('thousands at once, more than one round of them, leave no descriptors', async () => {
  const [before, during, after, delivered] = await runChild(async (native) => {
    const { readdirSync } = process.getBuiltinModule('node:fs')
    const { createServer } = process.getBuiltinModule('node:net')
    const server = createServer((socket) => socket.on('error', () => undefined))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4096, resolve))
    const { port } = server.address() as { port: number }
    const descriptors = () => readdirSync('/proc/self/fd').length
    const before = descriptors()
    let delivered = 0
    let finish: () => void
    const all = new Promise<void>((resolve) => (finish = resolve))
    const connector = new native.Connector((_, errno) => {
      if (errno === 0 && ++delivered === 3000) finish()
    })
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 1000; i++) connector.start('127.0.0.1', port)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const during = descriptors()
    await all
    connector.close()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    await new Promise((resolve) => setImmediate(resolve))
    return [before, during, descriptors(), delivered]
  }, undefined)
  expect(delivered).toBe(3000)
  expect(during).toBeGreaterThan(before)
  expect(after).toBeLessThanOrEqual(before)
})

test('one that waits keeps the process alive; one without connections does not', async () => {
  const outcome = await runChild(async (native) => {
    new native.Connector(() => undefined)
    const { createServer } = process.getBuiltinModule('node:net')
    const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    server.unref()
    return new Promise<number>((resolve) => {
      new native.Connector((_, errno) => resolve(errno)).start('127.0.0.1', port)
    })
  }, undefined)
  expect(outcome).toBe(0)
})
