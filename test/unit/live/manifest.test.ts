import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/engine/abi/compile.ts'
import { MANIFEST_CHUNK } from '../../../src/engine/abi/tables.ts'
import { digestTables } from '../../../src/engine/live/digests.ts'
import { decodeManifest, encodeManifest, readHeader } from '../../../src/engine/live/manifest.ts'
import type { Manifest } from '../../../src/engine/live/manifest.ts'
import { LbError } from '../../../src/engine/model/errors.ts'
import { host } from '../../../src/kernel/host.ts'
import { deployment } from '../../support/arbitrary.ts'
import { countersOf } from '../../support/arbitrary-tables.ts'

const manifest: fc.Arbitrary<Manifest> = fc.record({
  provenance: fc.record({
    number: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    slot: fc.nat({ max: 15 }),
    replaced: fc.nat({ max: 100 }),
    createdAt: fc.constant('2026-01-01T00:00:00Z'),
    user: fc.string(),
    sources: fc.array(fc.string({ unit: 'grapheme' })),
    configHash: fc.constant('00'),
    summary: fc.record({ create: fc.nat(), update: fc.nat(), delete: fc.nat() }),
  }),
  deployment,
  counters: fc.array(fc.nat()),
  digests: deployment.map((some) => digestTables(compile(some, countersOf(some)), host)),
})

const codeOf = (action: () => unknown): unknown => {
  try {
    return action()
  } catch (error) {
    return error instanceof LbError ? error.code : error
  }
}

describe('a manifest', () => {
  test('comes back as it was written, in whole chunks', () => {
    fc.assert(
      fc.property(manifest, (given) => {
        const bytes = encodeManifest(given, host)
        expect(bytes.length % MANIFEST_CHUNK).toBe(0)
        expect(decodeManifest(bytes, host)).toEqual(given)
        const { number, slot } = given.provenance
        expect(readHeader(bytes.subarray(0, MANIFEST_CHUNK))).toMatchObject({ number, slot })
      }),
    )
  })

  test('that was damaged, or is of another kind, is refused', () => {
    const [given] = fc.sample(manifest, { numRuns: 1, seed: 1 })
    const bytes = encodeManifest(given!, host)
    expect(readHeader(new Uint8Array(MANIFEST_CHUNK))).toBeUndefined()
    expect(readHeader(new Uint8Array(3))).toBeUndefined()
    expect(codeOf(() => decodeManifest(new Uint8Array(MANIFEST_CHUNK), host))).toBe('state')
    expect(codeOf(() => decodeManifest(bytes.subarray(0, 40), host))).toBe('state')
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 60 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice()
        damaged[at]! ^= flip
        const outcome = codeOf(() => decodeManifest(damaged, host))
        if (typeof outcome !== 'object') expect(outcome).toBe('state')
      }),
    )
  })
})
