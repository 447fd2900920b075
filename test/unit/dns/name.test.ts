import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answered, createName, hostAddresses, type NameState } from '../../../src/engine/dns/name.ts'
import type { Answer, ResolutionFailure } from '../../../src/engine/model/resolution.ts'
import type { Family } from '../../../src/engine/model/snapshot.ts'

const refresh = { refreshSec: 30, random: 0 }

function good(addresses: readonly string[], ttlSec: number | null = 300): Answer {
  return { ok: true, addresses, ttlSec }
}

function bad(failure: ResolutionFailure): Answer {
  return { ok: false, failure, error: failure }
}

function name(known: readonly string[] = [], family: Family = 'ipv4'): NameState {
  return createName({ host: 'web.test', family }, 0, known)
}

/** The addresses after one answer; `=`: the same array as before. */
function after(known: readonly string[], answer: Answer, family: Family = 'ipv4'): string {
  const before = name(known, family)
  const { addresses } = answered(before, answer, 0, refresh)
  return addresses === before.addresses ? '=' : addresses.join(' ')
}

describe('addresses', () => {
  const some = ['10.0.0.1', '10.0.0.2']
  test.each<[string, readonly string[], Answer, string, Family?]>([
    ['first answer', [], good(['10.0.0.2', '10.0.0.1']), '10.0.0.1 10.0.0.2'],
    ['another order', some, good(['10.0.0.2', '10.0.0.1']), '='],
    ['one more', some, good(['10.0.0.3', '10.0.0.2', '10.0.0.1']), '10.0.0.1 10.0.0.2 10.0.0.3'],
    ['one fewer', some, good(['10.0.0.2']), '10.0.0.2'],
    ['one twice', some, good(['10.0.0.1', '10.0.0.2', '10.0.0.1']), '='],
    ['none', some, good([]), '='],
    ['another family only', some, good(['fd00::1']), '='],
    ['another family too', some, good(['fd00::1', '10.0.0.1']), '10.0.0.1'],
    ['mapped to IPv6', some, good(['::ffff:10.0.0.9']), '10.0.0.9'],
    ['other spellings', ['fd00::1'], good(['FD00:0::0:1', 'fd00::1']), '=', 'ipv6'],
    ['no addresses at all', some, good(['', 'web', '10.0.0', '10.0.0.256', '1.2.3.4/8', 'fe80::1%eth0']), '='],
    ['none to connect to', some, good(['0.0.0.0', '0.1.2.3', '224.0.0.1', '255.255.255.255', '169.254.0.1']), '='],
    ['none to connect to', ['fd00::1'], good(['::', 'ff02::1', 'fe80::1']), '=', 'ipv6'],
    ['this host', [], good(['127.0.0.1']), '127.0.0.1'],
    ['timeout', some, bad('timeout'), '='],
    ['no such name', some, bad('not-found'), '='],
    ['no record', some, bad('no-data'), '='],
    ['server failure', some, bad('server'), '='],
    ['failure before anything was known', [], bad('timeout'), '='],
  ])('%s', (_, known, answer, expected, family) => {
    expect(after(known, answer, family)).toBe(expected)
  }) // prettier-ignore

  test('256 at most, the same ones in any order', () => {
    const all = Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
    const first = answered(name(), good(all), 0, refresh)
    expect(first.addresses).toHaveLength(256)
    expect(answered(first, good(all.reverse()), 0, refresh).addresses).toBe(first.addresses)
  })

  test('of all names together, by host and sorted', () => {
    const of = (host: string, family: Family, addresses: readonly string[]): NameState =>
      createName({ host, family }, 0, addresses)
    const states = [
      of('a', 'ipv6', ['fd00::1']),
      of('a', 'ipv4', ['10.0.0.2', '10.0.0.1']),
      of('b', 'ipv4', []),
      of('b', 'ipv6', ['fd00::2']),
      of('c', 'ipv4', []),
    ]
    expect([...hostAddresses(states)]).toEqual([
      ['a', ['10.0.0.1', '10.0.0.2', 'fd00::1']],
      ['b', ['fd00::2']],
    ])
  })
})

describe('when to ask next, in seconds', () => {
  const wait = (answer: Answer, given = refresh, from = name()): number =>
    answered(from, answer, 0, given).nextAt / 1000

  test.each([
    ['the configured time', 300, 30],
    ['the TTL, where that is shorter', 5, 5],
    ['without a TTL the configured time', null, 30],
    ['a TTL of zero: a second', 0, 1],
  ])('%s', (_, ttl, expected) => {
    expect(wait(good(['10.0.0.1'], ttl))).toBe(expected)
  })

  test('later by up to a tenth, never sooner', () => {
    expect(wait(good(['10.0.0.1']), { refreshSec: 30, random: 1 })).toBeCloseTo(33)
    expect(wait(good(['10.0.0.1'], 0), { refreshSec: 1, random: 0.5 })).toBeCloseTo(1.05)
  })

  test('after failures 1, 2, 4, … up to the configured time; a good answer ends that', () => {
    let state = name(['10.0.0.1'])
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      state = answered(state, bad('timeout'), 0, refresh)
      waits.push(state.nextAt / 1000)
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30])
    expect(state).toMatchObject({ failures: 8, error: 'timeout', addresses: ['10.0.0.1'] })
    state = answered(state, good(['10.0.0.1']), 5, refresh)
    expect(state).toMatchObject({ failures: 0, error: null, resolvedAt: 5, nextAt: 30_005 })
    expect(answered(state, bad('timeout'), 0, refresh).nextAt).toBe(1000)
  })

  test('an empty answer is a failure, and says so', () => {
    const { error, failures, resolvedAt } = answered(name(), good([]), 0, refresh)
    expect([error, failures, resolvedAt]).toEqual(['the name has no IPv4 address', 1, null])
    const other = answered(name([], 'ipv6'), good(['10.0.0.1']), 0, refresh)
    expect(other.error).toBe('the name has no IPv6 address that can be used')
  })
})

test('whatever a server sends, addresses that were known are lost only to others', () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('0.0.0.0', '::', 'x', '', '10.0.0.1', '10.0.0.2', '::ffff:10.0.0.1'),
  )
  const answer = fc.oneof(
    fc.record({
      ok: fc.constant(true as const),
      addresses: fc.array(address, { maxLength: 300 }),
      ttlSec: fc.oneof(fc.constant(null), fc.nat()),
    }),
    fc.constantFrom<ResolutionFailure>('not-found', 'no-data', 'timeout', 'server').map(bad),
  )
  const random = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(answer, random)),
      fc.integer({ min: 1, max: 3600 }),
      (answers, refreshSec) => {
        let state = name(['10.0.0.1'])
        for (const [i, [next, r]] of answers.entries()) {
          const now = i * 1e6
          const before = state
          state = answered(state, next, now, { refreshSec, random: r })
          expect(state.addresses.length).toBeGreaterThan(0)
          expect(state.addresses.length).toBeLessThanOrEqual(256)
          expect(state.addresses).toEqual([...new Set(state.addresses)].sort())
          if (!next.ok) expect(state.addresses).toBe(before.addresses)
          if (state.addresses !== before.addresses) expect(state.addresses).not.toEqual(before.addresses)
          expect(state.nextAt - now).toBeGreaterThanOrEqual(1000)
          expect(state.nextAt - now).toBeLessThanOrEqual(refreshSec * 1100 + 0.001)
        }
      },
    ),
  )
})
