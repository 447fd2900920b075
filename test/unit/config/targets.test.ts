/** Lists of targets, and routes to them. */
import { describe, expect, it } from 'vitest'
import { load, onlyProblem, problemsOf, proxyWith, rulesOf } from './report.ts'

describe('targets', () => {
  const list = (...weights: readonly (number | undefined)[]): string =>
    `[${weights.map((weight, i) => `{ ip: 10.0.0.${i}, port: 1${weight === undefined ? '' : `, weight: ${weight}`} }`).join(', ')}]`

  it.each([[[100]], [[undefined]], [[undefined, undefined]], [[50, 50]], [[98, 1, 1]]])(
    'may have the weights %j',
    (weights) => {
      expect(problemsOf(proxyWith({ defaultTarget: list(...weights) }))).toEqual([])
    },
  )

  it.each([
    [
      [50],
      'The `weight` of the only target is 50, not 100',
      'It gets all connections anyway: leave the weight out.',
    ],
    [
      [50, 40],
      'The weights of these 2 targets add up to 90, not 100',
      'Weights are percentages. In the same proportions: 56, 44. Or leave all weights out to share equally.',
    ],
    [
      [1, 2, 3],
      'The weights of these 3 targets add up to 6, not 100',
      'Weights are percentages. In the same proportions: 17, 33, 50. Or leave all weights out to share equally.',
    ],
    [
      Array.from({ length: 20 }, () => 6),
      'The weights of these 20 targets add up to 120, not 100',
      'Weights are percentages: adjust them, or leave all weights out to share equally.',
    ],
    [
      Array.from({ length: 101 }, () => 1),
      'The weights of these 101 targets add up to 101, not 100',
      'More than 100 targets cannot have weights: leave all weights out to share equally.',
    ],
  ])('cannot have the weights %j', (weights, message, hint) => {
    expect(onlyProblem(proxyWith({ defaultTarget: list(...weights) })).slice(1)).toEqual([message, hint])
  })

  it.each([
    [[50, undefined], 'This target has no `weight`, but others of its list have one'],
    [
      [undefined, 50, undefined, undefined],
      'This target has no `weight` (nor have 2 more of this list), but others of its list have one',
    ],
  ])('have weights all or none: %j', (weights, message) => {
    expect(onlyProblem(proxyWith({ defaultTarget: list(...weights) }))[1]).toBe(message)
  })

  it('are in a list once', () => {
    const text = proxyWith({
      defaultTarget: '[{ ip: fd00::1, port: 1 }, { ip: fd00::1, port: 2 }, { ip: fd00:0::1, port: 1 }]',
    })
    expect(onlyProblem(text)).toEqual([
      'fd00:0::1',
      'Target `[fd00::1]:1` is in this list twice',
      'Remove one of the two; to give a target a larger share, give it a larger weight.',
    ])
  })

  it('may be in two lists', () => {
    expect(
      problemsOf(
        proxyWith({ sourceRoutes: '[{ source: 10.0.0.0/8, target: { ip: 10.0.0.1, port: 8080 } }]' }),
      ),
    ).toEqual([])
  })

  it('are not the listener itself', () => {
    const listen = '{ interfaces: [eth0], port: 80, address: 10.0.0.1 }'
    const text = proxyWith({ listen, defaultTarget: '{ ip: 10.0.0.1, port: 80 }' })
    expect(onlyProblem(text).slice(0, 2)).toEqual([
      '10.0.0.1',
      '`10.0.0.1:80` is where this proxy listens itself',
    ])
    expect(problemsOf(proxyWith({ listen, defaultTarget: '{ ip: 10.0.0.1, port: 81 }' }))).toEqual([])
  })
})

describe('a lone target', () => {
  it('is the same with a weight of 100 and without', () => {
    const withWeight = proxyWith({ defaultTarget: '{ ip: 10.0.0.1, port: 8080, weight: 100 }' })
    expect(load(withWeight)).toEqual(load(proxyWith({})))
  })
})

describe('source routes', () => {
  const routes = (...sources: readonly string[]): string =>
    proxyWith({
      sourceRoutes: `[${sources.map((source) => `{ source: ${source}, target: { ip: 10.0.9.9, port: 1 } }`).join(', ')}]`,
    })

  it('may be nested', () => {
    expect(
      problemsOf(routes('10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '10.1.2.3/31'.replace('3/', '2/'))),
    ).toEqual([])
  })

  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.1', '10.0.0.1/32'],
  ])('%s and %s are the same', (first, second) => {
    expect(onlyProblem(routes(first, second)).slice(0, 2)).toEqual([
      second,
      `There is already a route for \`${first.includes('/') ? first : second}\``,
    ])
  })

  it('whose clients are all taken by longer ones are warned of', () => {
    expect(rulesOf(routes('10.0.0.0/8', '10.0.0.0/9', '10.128.0.0/10', '10.192.0.0/10'))).toEqual([
      '6:30 unreachable-route',
    ])
    expect(rulesOf(routes('10.0.0.0/8', '10.0.0.0/9', '10.128.0.0/10', '10.192.0.0/11'))).toEqual([])
  })

  it('that take every client leave none for the default target', () => {
    expect(rulesOf(routes('0.0.0.0/0'))).toEqual(['5:20 unreachable-default'])
    expect(rulesOf(routes('0.0.0.0/1', '128.0.0.0/1'))).toEqual(['5:20 unreachable-default'])
    expect(rulesOf(routes('0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1'))).toEqual([
      '5:20 unreachable-default',
      '6:30 unreachable-route',
    ])
  })
})
