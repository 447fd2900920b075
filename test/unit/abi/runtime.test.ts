import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  appendChange,
  decodeLog,
  decodeRuntime,
  decodeRuntimeKey,
  encodeRuntime,
  encodeRuntimeKey,
  PENDING_KEY,
  RUNTIME_KEY_SIZE,
  RUNTIME_SIZE,
  targetId,
} from '../../../src/engine/abi/runtime.ts'
import { rowsOver } from '../../../src/engine/abi/struct.ts'
import { formatIp } from '../../../src/engine/model/ip.ts'
import { LOAD_ONE } from '../../../src/engine/model/runtime.ts'
import type { TargetKey, TargetRuntime, WeightChange } from '../../../src/engine/model/runtime.ts'
import { ipv4Bytes, ipv6Bytes, proxyName } from '../../support/arbitrary.ts'

const time = fc.integer({ min: 0, max: Date.UTC(2100, 0) })

const key: fc.Arbitrary<TargetKey> = fc.record({
  proxy: proxyName,
  ip: fc.oneof(ipv4Bytes, ipv6Bytes).map((bytes) => formatIp(bytes)),
  port: fc.integer({ min: 1, max: 65535 }),
  protocol: fc.constantFrom('tcp', 'udp'),
})

const runtime: fc.Arbitrary<TargetRuntime> = fc.record({
  health: fc.record({
    state: fc.constantFrom('unknown', 'healthy', 'unhealthy'),
    since: time,
    recovery: fc.constantFrom(1, 2, 3, 4),
  }),
  drain: fc.record({
    state: fc.constantFrom('none', 'draining', 'completed', 'timeout'),
    since: time,
    deadline: time,
    initial: fc.nat(),
  }),
  breaker: fc.record({
    state: fc.constantFrom('closed', 'open', 'half-open'),
    since: time,
    forced: fc.boolean(),
  }),
  load: fc.integer({ min: 0, max: LOAD_ONE }),
})

const change: fc.Arbitrary<WeightChange> = fc.record({
  at: time,
  cause: fc.constantFrom('configured', 'health', 'recovery', 'drain', 'breaker', 'load', 'fallback'),
  from: fc.integer({ min: 0, max: LOAD_ONE }),
  to: fc.integer({ min: 0, max: LOAD_ONE }),
})

describe('what is known of a target', () => {
  test('reads back as it was written', () => {
    fc.assert(
      fc.property(key, runtime, (target, known) => {
        expect(decodeRuntimeKey(encodeRuntimeKey(target))).toEqual(target)
        expect(decodeRuntime(encodeRuntime(known))).toEqual(known)
      }),
    )
  })

  test('is kept under different keys for different targets', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const same = Buffer.from(encodeRuntimeKey(a)).equals(encodeRuntimeKey(b))
        expect(targetId(a) === targetId(b)).toBe(same)
      }),
    )
  })

  test('can be read whatever bytes are there', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    fc.assert(
      fc.property(bytes(RUNTIME_KEY_SIZE), bytes(RUNTIME_SIZE), (first, second) => {
        decodeRuntimeKey(first)
        const { load, health } = decodeRuntime(second)
        expect(load).toBeLessThanOrEqual(LOAD_ONE)
        expect([1, 2, 3, 4]).toContain(health.recovery)
      }),
    )
    expect(decodeRuntimeKey(PENDING_KEY)).toBeUndefined()
  })
})

describe('a history', () => {
  const logOf = (changes: readonly WeightChange[], start?: Uint8Array): Uint8Array | undefined =>
    changes.reduce<Uint8Array | undefined>((log, item) => appendChange(log, item), start)

  test('has the latest hundred changes, oldest first', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 250 }), (changes) => {
        expect(decodeLog(logOf(changes)!)).toEqual(changes.slice(-100))
      }),
      { numRuns: 30 },
    )
  })

  test('goes on past what its counter holds', () => {
    const changes = Array.from({ length: 250 }, (_, i): WeightChange => ({
      at: i,
      cause: 'load',
      from: i,
      to: i + 1,
    }))
    const log = logOf(changes.slice(0, 120))!
    rowsOver('lb_weight_log', log).set(0, 'count', 2 ** 32 - 76)
    // The same row comes next: 2^32 is 96 past a multiple of a hundred.
    expect((2 ** 32 - 76) % 100).toBe(20)
    expect(decodeLog(logOf(changes.slice(120), log)!)).toEqual(changes.slice(-100))
  })
})
