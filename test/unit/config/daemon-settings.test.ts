import { describe, expect, it } from 'vitest'
import { toCanonicalYaml } from '../../../src/engine/config/canonical.ts'
import { DEFAULT_DAEMON_SETTINGS } from '../../../src/engine/model/policy.ts'
import { load, onlyProblem, problemsOf } from './report.ts'

describe('settings of the daemon', () => {
  it('are the defaults where nothing is said, and those are left out again', () => {
    expect(load('proxies: []').settings).toMatchObject(DEFAULT_DAEMON_SETTINGS)
    expect(toCanonicalYaml(load('proxies: []'))).not.toContain('settings')
  })

  it.each([
    ['defaultDrainTimeoutMs', 1000, 3_600_000],
    ['drainCheckIntervalMs', 100, 60_000],
    ['circuitBreaker.errorThresholdPct', 1, 100],
    ['circuitBreaker.minRequests', 1, 1_000_000],
    ['circuitBreaker.openDurationMs', 1000, 600_000],
    ['circuitBreaker.halfOpenRequests', 1, 1000],
    ['circuitBreaker.windowSizeMs', 1000, 300_000],
    ['loadBalancing.updateIntervalMs', 100, 10_000],
    ['metrics.port', 1024, 65_535],
  ])('%s is from %d to %d', (path, least, most) => {
    const [outer = '', inner] = path.split('.')
    const text = (value: number): string =>
      `proxies: []\nsettings: { ${inner === undefined ? `${outer}: ${value}` : `${outer}: { ${inner}: ${value} }`} }\n`
    for (const value of [least, most]) {
      const snapshot = load(text(value))
      expect(snapshot.settings).toMatchObject(
        inner === undefined ? { [outer]: value } : { [outer]: { [inner]: value } },
      )
      expect(load(toCanonicalYaml(snapshot))).toEqual(snapshot)
    }
    for (const value of [least - 1, most + 1]) {
      expect(onlyProblem(text(value))[1]).toBe(
        `\`${inner ?? outer}\` must be between ${least} and ${most}, not ${value}`,
      )
    }
  })

  it.each(['rateLimits', 'accessLog', 'adminApi', 'statsEnabled'])('%s is none', (key) => {
    expect(onlyProblem(`proxies: []\nsettings: { ${key}: {} }`)[1]).toBe(`Unknown key \`${key}\``)
  })

  it('of one map are said in one file only', () => {
    expect(
      problemsOf('proxies: []\nsettings: { metrics: { enabled: true }, metrics: { port: 9091 } }').map(
        ({ rule }) => rule,
      ),
    ).toEqual(['duplicate-key'])
  })
})
