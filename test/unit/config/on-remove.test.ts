import { describe, expect, test } from 'vitest'
import { toCanonicalYaml } from '../../../src/engine/config/canonical.ts'
import { load, problemsOf, proxyWith } from './report.ts'

const loaded = (more: Readonly<Record<string, string>>): number | undefined =>
  load(proxyWith(more)).proxies[0]?.endRemovedAfterSec

describe('onRemove', () => {
  test.each([
    [{}, undefined],
    [{ onRemove: 'keep' }, undefined],
    [{ onRemove: 'keep', onRemoveDeadlineSec: '300' }, 300],
    [{ onRemoveDeadlineSec: '1' }, 1],
    [{ onRemove: 'reset' }, 0],
  ])('%j', (keys, expected) => {
    expect(loaded(keys)).toBe(expected)
    const snapshot = load(proxyWith(keys))
    expect(load(toCanonicalYaml(snapshot))).toEqual(snapshot)
  })

  test('is spelled in EDN as all keys are', () => {
    const text = `{:proxies [{:name "a" :listen {:interfaces ["eth0"] :port 80} :default-target {:ip "10.0.0.1" :port 80}
      :on-remove :keep :on-remove-deadline-sec 60}]}`
    expect(load(text, 'edn').proxies[0]?.endRemovedAfterSec).toBe(60)
  })

  test.each([
    [{ onRemove: 'drop' }, 'unknown-value', '`onRemove` must be `keep` or `reset`, not "drop"'],
    [
      { onRemove: 'reset', onRemoveDeadlineSec: '5' },
      'key-without-effect',
      '`onRemoveDeadlineSec` has no effect where `onRemove` is `reset`',
    ],
    [
      { onRemove: 'keep', onRemoveDeadlineSec: '0' },
      'out-of-range',
      '`onRemoveDeadlineSec` must be between 1 and 86400, not 0',
    ],
    [{ onRemoved: 'reset' }, 'unknown-key', 'Unknown key `onRemoved`'],
  ])('%j is refused', (keys, rule, message) => {
    expect(problemsOf(proxyWith(keys))).toMatchObject([{ severity: 'error', rule, message }])
  })
})
