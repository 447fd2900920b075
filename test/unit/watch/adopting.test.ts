import { describe, expect, test } from 'vitest'
import type { GenerationRecord } from '../../../src/engine/model/live.ts'
import type { Change } from '../../../src/engine/model/plan.ts'
import { wasAppliedBefore } from '../../../src/engine/watch/applied-before.ts'
import { hasHostOnly } from '../../../src/engine/watch/host-only.ts'

const NOON = Date.parse('2026-01-01T12:00:00Z')
const MINUTE = 60_000

/** `2*b@5`: generation 2, active, of configuration b, made five minutes after noon. */
function history(...texts: string[]): GenerationRecord[] {
  return texts.map((text) => {
    const [, number, active, configHash, minute] = /^(\d+)(\*?)([a-z])@(\d+)$/.exec(text)!
    return {
      number: Number(number),
      slot: 0,
      active: active === '*',
      provenance: {
        number: Number(number),
        slot: 0,
        replaced: 0,
        createdAt: new Date(NOON + Number(minute) * MINUTE).toISOString(),
        user: 'root',
        sources: [],
        configHash: configHash!,
        summary: { create: 0, update: 0, delete: 0 },
      },
    }
  })
}

/** Loaded generations, the files' configuration and when they were written → whether somebody moved on from it. */
const table: readonly [string, string[], string, number, boolean][] = [
  ['nothing is applied', [], 'a', 0, false],
  ['it serves', ['1*a@0'], 'a', 9, false],
  ['it was never applied', ['1*a@0'], 'b', 0, false],
  ['somebody rolled back from it', ['1*a@0', '2b@5'], 'b', 9, true],
  ['somebody applied something else since', ['1a@0', '2*b@5'], 'a', 0, true],
  ['it was written back after something else was applied', ['1a@0', '2*b@5'], 'a', 9, false],
  ['the same serves again', ['1a@0', '2b@5', '3*a@7'], 'a', 9, false],
]

test.for(table)('%s', ([, loaded, hash, minute, expected]) => {
  expect(wasAppliedBefore(history(...loaded), hash, NOON + minute * MINUTE)).toBe(expected)
})

test('a generation whose manifest is lost tells nothing', () => {
  expect(wasAppliedBefore([{ number: 1, slot: 0, active: true, provenance: undefined }], 'a', 0)).toBe(false)
})

describe('changes that are the host’s alone', () => {
  const returned: Change = {
    action: 'update',
    address: 'interface.eth0',
    before: { attach: 'auto', ifindex: 3, mode: 'tcx' },
    after: { attach: 'auto', ifindex: 7, mode: 'tcx' },
  }
  const others: readonly [string, Change[], boolean][] = [
    ['none', [], false],
    ['an interface that came back', [returned], true],
    ['two of them', [returned, { ...returned, address: 'interface["eth0.5"]' }], true],
    ['one that was detached', [{ ...returned, after: { ...returned.before } }], false],
    [
      'one that is to be attached in another way',
      [{ ...returned, after: { attach: 'xdp', ifindex: 7 } }],
      false,
    ],
    [
      'a proxy with it',
      [returned, { action: 'create', address: 'proxy.web', before: null, after: {} }],
      false,
    ],
    [
      'one that is new',
      [{ action: 'create', address: 'interface.eth1', before: null, after: { ifindex: 7 } }],
      false,
    ],
  ]
  test.for(others)('%s', ([, changes, expected]) => expect(hasHostOnly(changes)).toBe(expected))
})
