import { expect, test } from 'vitest'
import type { Finding } from '../../../src/engine/model/finding.ts'
import type { GenerationRecord } from '../../../src/engine/model/live.ts'
import { renderDiff } from '../../../src/render/diff.ts'
import { renderDoctor } from '../../../src/render/doctor.ts'
import { doctorJson } from '../../../src/render/doctor-json.ts'
import { historyJson } from '../../../src/render/history-json.ts'
import { renderHistory } from '../../../src/render/history.ts'
import { makePalette } from '../../../src/render/palette.ts'
import { planJson } from '../../../src/render/plan-json.ts'
import { renderStep } from '../../../src/render/steps.ts'
import { deployed, planOf, withProxies, web } from './plans.ts'

const palette = makePalette(false)
const matches = async (name: string, text: string): Promise<void> =>
  expect(`${text}\n`).toMatchFileSnapshot(`../../golden/${name}.txt`)

const records: readonly GenerationRecord[] = [
  { number: 7, slot: 0, active: false, provenance: undefined },
  {
    number: 8,
    slot: 1,
    active: false,
    provenance: {
      number: 8,
      slot: 1,
      replaced: 7,
      createdAt: '2026-03-01T08:00:00Z',
      user: 'root',
      sources: ['lb.yaml'],
      configHash: '0123456789abcdef'.repeat(4),
      summary: { create: 12, update: 0, delete: 0 },
    },
  },
  {
    number: 12,
    slot: 2,
    active: true,
    provenance: {
      number: 12,
      slot: 2,
      replaced: 8,
      createdAt: '2026-03-02T17:31:09Z',
      user: 'alice\x1b[1m',
      sources: ['conf.d/a.yaml', 'conf.d/b.edn'],
      configHash: 'fedcba9876543210'.repeat(4),
      summary: { create: 1, update: 2, delete: 3 },
    },
  },
]

test('history is a table', async () => {
  await matches('history', renderHistory(records, palette))
  expect(renderHistory([], palette)).toBe('Nothing is applied.')
})

test('history as a document', () => {
  const { formatVersion, instance, generations } = historyJson('default', records)
  expect({ formatVersion, instance }).toEqual({ formatVersion: 1, instance: 'default' })
  expect(generations[0]).toEqual({ number: 7, active: false, slot: 0, provenance: null })
  expect(generations[2]?.provenance).toEqual({
    replaced: 8,
    createdAt: '2026-03-02T17:31:09Z',
    user: 'alice\x1b[1m',
    sources: ['conf.d/a.yaml', 'conf.d/b.edn'],
    configHash: 'fedcba9876543210'.repeat(4),
    summary: { create: 1, update: 2, delete: 3 },
  })
})

test('a plan as a document has these members and no others', () => {
  const plan = planOf(deployed, withProxies(web), [
    { where: 'table groups', address: 'a', action: 'create', before: null, after: { x: 1 } },
  ])
  const document = planJson(plan)
  expect(Object.keys(document)).toEqual(['formatVersion', 'instance', 'live', 'changes', 'drift', 'summary'])
  expect(document.live).toEqual({ generation: 7, fingerprint: 'f'.repeat(64) })
  for (const change of document.changes) {
    expect(Object.keys(change)).toEqual(['address', 'action', 'before', 'after'])
  }
  expect(document.changes).toEqual(plan.changes)
  expect(document.drift).toEqual(plan.drift)
  expect(document.summary).toEqual(plan.summary)
})

test('a diff of two texts', async () => {
  const before = 'version: 1\nproxies:\n  - name: web\n    port: 80\n'
  const after = 'version: 1\nproxies:\n  - name: web\x1b\n    port: 81\n'
  const options = { before: 'live', after: 'desired\n', palette }
  await matches('diff', renderDiff(before, after, options))
  expect(renderDiff(before, before, options)).toBe('')
  const coloured = renderDiff(before, after, { ...options, palette: makePalette(true) })
  expect(coloured).toContain('\x1b[31m-    port: 80\x1b[39m\n')
  expect(coloured).toContain('\x1b[32m+    port: 81\x1b[39m')
})

test('steps line up', () => {
  expect(renderStep('stage', 'generation 8: 40 entries, 5 tables unchanged')).toBe(
    'stage    generation 8: 40 entries, 5 tables unchanged',
  )
  expect(renderStep('recover', 'removed\x1b')).toBe('recover  removed\\x1b')
})

const findings: readonly Finding[] = [
  { id: 'kernel', status: 'ok', title: 'kernel 6.1.0', detail: 'clsact filters are used' },
  { id: 'btf', status: 'ok', title: 'BTF', detail: '' },
  {
    id: 'rp-filter:eth0',
    status: 'warning',
    title: 'strict\x1b',
    detail:
      'a reason that goes on for longer than one line of seventy-eight columns, so that it has to be wrapped',
    fix: 'sysctl -w net.ipv4.conf.eth0.rp_filter=2',
  },
  { id: 'bpffs', status: 'error', title: 'none', detail: 'why', fix: 'mount -t bpf bpf /sys/fs/bpf' },
]

test('findings of the doctor', async () => {
  await matches('doctor', renderDoctor(findings, palette))
  expect(renderDoctor(findings.slice(0, 2), palette)).toMatch(/\n\nAll is well\.$/)
  expect(renderDoctor(findings.slice(0, 3), palette)).toMatch(/\n\n1 warning$/)
})

test('findings as a document: only an error is not ok', () => {
  expect(doctorJson(findings)).toEqual({ formatVersion: 1, ok: false, findings })
  expect(doctorJson(findings.slice(0, 3)).ok).toBe(true)
})
