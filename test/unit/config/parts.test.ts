/** The smaller parts: suggestions, covered prefixes, proportions, formats. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coveredByLonger } from '../../../src/engine/config/check/cover.ts'
import { scale } from '../../../src/engine/config/check/weights.ts'
import { formatOf } from '../../../src/engine/config/formats.ts'
import { editDistance, suggest } from '../../../src/engine/config/suggest.ts'
import { parsePrefix, type Prefix } from '../../../src/engine/model/ip.ts'

describe('suggest', () => {
  const words = ['name', 'listen', 'forwarding', 'defaultTarget', 'sourceRoutes']
  it.each([
    ['lisen', 'listen'],
    ['lsiten', 'listen'],
    ['LISTEN', 'listen'],
    ['default_target', 'defaultTarget'],
    [':default-target', 'defaultTarget'],
    ['sourceRoute', 'sourceRoutes'],
    ['nmae', 'name'],
    ['weight', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('%j', (typed, meant) => {
    expect(suggest(typed, words)).toBe(meant)
  })

  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['abc', 'abd', 1],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
  ])('editDistance of %j and %j', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
    expect(editDistance(b, a)).toBe(distance)
  })
})

describe('coveredByLonger', () => {
  /** The last four bits of addresses under 10.0.0.0/28, so that every address can be asked. */
  const prefix = fc
    .tuple(fc.nat({ max: 15 }), fc.integer({ min: 28, max: 32 }))
    .map(([host, length]) => parsePrefix(`10.0.0.${host}/${length}`)!)

  const contains = ({ bytes, length }: Prefix, host: number): boolean =>
    bytes[15]! >> (32 - length) === host >> (32 - length)

  it('is what asking every address tells', () => {
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 12 }), (prefixes) => {
        const { covered } = coveredByLonger(prefixes)
        for (const one of prefixes) {
          const longer = prefixes.filter(({ length }) => length > one.length)
          const hosts = Array.from({ length: 16 }, (_, host) => host).filter((host) => contains(one, host))
          const isCovered = hosts.every((host) => longer.some((other) => contains(other, host)))
          expect(covered.has(one)).toBe(isCovered)
        }
      }),
    )
  })

  it.each([
    [[], false],
    [['0.0.0.0/0'], true],
    [['0.0.0.0/1', '128.0.0.0/1'], true],
    [['0.0.0.0/1', '128.0.0.0/2', '192.0.0.0/3'], false],
    [['::/1', '8000::/1'], true],
    [['::/0'], true],
  ])('%j covers everything: %j', (texts, everything) => {
    expect(coveredByLonger(texts.map((text) => parsePrefix(text)!)).everything).toBe(everything)
  })
})

describe('scale', () => {
  it('gives percentages of at least 1 that add up', () => {
    const weight = fc.integer({ min: 1, max: 100 })
    fc.assert(
      fc.property(fc.array(weight, { minLength: 2, maxLength: 100 }), (weights) => {
        const scaled = scale(
          weights,
          weights.reduce((sum, one) => sum + one, 0),
        )
        expect(scaled.reduce((sum, one) => sum + one, 0)).toBe(100)
        expect(Math.min(...scaled)).toBeGreaterThan(0)
        const inOrder = weights.every((a, i) => weights.every((b, j) => a >= b || scaled[i]! <= scaled[j]!))
        expect(inOrder).toBe(true)
      }),
    )
  })
})

describe('formatOf', () => {
  it.each([
    ['lb.yaml', 'yaml'],
    ['/etc/lb.d/a.YML', 'yaml'],
    ['a.b.json', 'json'],
    ['./x/lb.edn', 'edn'],
    ['lb', undefined],
    ['lb.', undefined],
    ['.yaml/lb', undefined],
    ['lb.toml', undefined],
    ['lb.constructor', undefined],
  ])('%s', (file, format) => {
    expect(formatOf(file)).toBe(format)
  })
})
