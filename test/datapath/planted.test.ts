import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildChanged, type Change } from '../support/changed-object.ts'
import { createFuzzer, type Fuzzer } from './random/fuzzer.ts'

/** Faults in a copy of the data plane: random packets have to find each, and make it small. */

/** The same each time: it is the search that is tested here, not the data plane. */
const SEED = Number(process.env['LB_TEST_SEED'] ?? 1)

let fuzzer: Fuzzer
beforeAll(async () => {
  fuzzer = await createFuzzer()
})
afterAll(() => fuzzer.close())

interface Fault {
  readonly what: string
  readonly change: Change
  /** As small as it has to be made: packets, and listeners. */
  readonly packets: number
  /** Of the report. */
  readonly says: RegExp
}

const faults: readonly Fault[] = [
  {
    what: 'the TTL stays as it was',
    change: { file: 'stage/rewrite.h', from: 'p->ip4->ttl--;', to: '' },
    packets: 2,
    says: /^ {2}from byte 22: 40.*, not 3f/m,
  },
  {
    what: 'checksums are one too high',
    change: { file: 'lib/checksum.h', from: '~check + diff)', to: '~check + diff + 1)' },
    packets: 2,
    says: /^ {2}error of the .* checksum: /m,
  },
  {
    what: 'source routes longer than 8 bits are ignored',
    change: {
      file: 'stage/select.h',
      from: 'sizeof(key.proxy) + sizeof(key.source)',
      to: 'sizeof(key.proxy) + 13',
    },
    packets: 2,
    says: /^ {2}(from byte|reason:) /m,
  },
  {
    what: 'a first fragment is taken for a whole packet',
    change: { file: 'lib/parse.h', from: 'OR_OFFSET 0x3fff', to: 'OR_OFFSET 0x1fff' },
    packets: 2,
    says: /not LB_PASS_IPV4_FRAGMENT$/m,
  },
  {
    what: 'a UDP checksum that becomes zero is left so',
    change: { file: 'lb.xdp.bpf.c', from: ' ?: 0xffff', to: '' },
    packets: 2,
    says: /^ {2}absence of a UDP checksum: true, not false$/m,
  },
  {
    what: 'a connection that both sides have closed is not seen to be',
    change: {
      file: 'stage/track.h',
      from: 'return reverse ? LB_CONN_TIME_WAIT : state;',
      to: 'return state;',
    },
    packets: 3,
    says: /^ {2}missing: .* TIME_WAIT /m,
  },
  {
    what: 'a reply that is left to egress is counted twice',
    change: { file: 'lb.tc.bpf.c', from: 'untrack(conn, a);', to: '' },
    packets: 2,
    says: /: packetsReverse 1, not 0$/m,
  },
  {
    what: 'only one backend is tried where it is taken',
    change: { file: 'stage/select.h', from: 'SELECT_TRIES 8', to: 'SELECT_TRIES 1' },
    packets: 2,
    says: /^ {2}reason: LB_DROP_TUPLE_CONFLICT, not /m,
  },
]

describe(`planted faults, seed ${SEED}`, () => {
  test.for(faults)('$what', async ({ change, packets, says }) => {
    const object = buildChanged([change])
    const { failure } = await fuzzer.run({ object, seed: SEED, packets: 200_000 })
    expect(failure?.text).toMatch(says)
    const { steps, configurations } = failure!.smallest
    expect(steps.length, failure!.text).toBeLessThanOrEqual(packets)
    expect(configurations.length, failure!.text).toBe(1)
    expect(configurations[0]!.listeners.length, failure!.text).toBeLessThanOrEqual(packets)
  })
})
