import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LbError } from '../../../src/engine/model/errors.ts'
import { EMPTY_DEPLOYMENT } from '../../../src/engine/model/live.ts'
import type { Drift, ExecutablePlan } from '../../../src/engine/model/plan.ts'
import { DEFAULT_DAEMON_SETTINGS, DEFAULT_HEALTH_CHECK } from '../../../src/engine/model/policy.ts'
import { canonicalJson } from '../../../src/engine/plan/canonical-json.ts'
import { readPlanFile, writePlanFile } from '../../../src/engine/plan/plan-file.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'
import { parseStateJson, stateJson } from '../../../src/engine/plan/state-file.ts'
import { renderJson } from '../../../src/render/json.ts'
import { daemonSettings, healthCheckOn, policiesOf } from '../../support/arbitrary-policies.ts'
import { deployed, liveState, source, web, withProxies } from '../render/plans.ts'

const digest = (parts: Iterable<Uint8Array | string>): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

const strange = fc.string({ unit: 'binary', maxLength: 12 })
const attributes = fc.dictionary(
  strange,
  fc.oneof(strange, fc.nat(), fc.boolean(), fc.constant(null), fc.array(fc.nat(), { maxLength: 3 })),
  { maxKeys: 4 },
)
const drift: fc.Arbitrary<Drift> = fc.oneof(
  fc.record({
    action: fc.constant('create' as const),
    address: strange,
    before: fc.constant(null),
    after: attributes,
    where: strange,
  }),
  fc.record({
    action: fc.constant('update' as const),
    address: strange,
    before: attributes,
    after: attributes,
    where: strange,
  }),
  fc.record({
    action: fc.constant('delete' as const),
    address: strange,
    before: attributes,
    after: fc.constant(null),
    where: strange,
  }),
)

const ip = fc.oneof(fc.constantFrom('fd00::1', '::', '2001:db8::a:0:1'), fc.ipV4())
const weight = fc.option(fc.integer({ min: 1, max: 65535 }))
const origin = fc.record({ host: strange, weight, dnsRefreshSeconds: fc.nat() })
const target = fc
  .tuple(
    fc.record({ ip, port: fc.nat({ max: 65535 }), weight }),
    policiesOf(healthCheckOn(DEFAULT_HEALTH_CHECK)),
    fc.option(origin),
  )
  .map(([plain, policies, name]) => ({ ...plain, ...policies, ...(name && { origin: name }) }))
/** Also what only damaged maps hold: no listener, no targets, any name. */
const proxy = fc.record({
  name: strange,
  listen: fc.record({
    interfaces: fc.array(strange, { maxLength: 2 }),
    address: fc.option(ip),
    port: fc.nat({ max: 65535 }),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  }),
  forwarding: fc.constant('nat' as const),
  defaultTarget: fc.array(target, { maxLength: 3 }),
  sourceRoutes: fc.array(
    fc.record(
      {
        source: fc.constantFrom('10.0.0.0/8', '::/0', '1.2.3.4/-46'),
        targets: fc.array(target),
        origin: strange,
      },
      { requiredKeys: ['source', 'targets'] },
    ),
    { maxLength: 2 },
  ),
})
const live = fc
  .tuple(fc.array(proxy, { maxLength: 3 }), daemonSettings, fc.array(drift, { maxLength: 3 }))
  .map(([proxies, more, rows]) => {
    const { snapshot, attachments } = withProxies(...proxies)
    return liveState(
      { snapshot: { ...snapshot, settings: { ...snapshot.settings, ...more } }, attachments },
      rows,
    )
  })

test('a state that a version without a daemon saved is read with the defaults', () => {
  const saved = stateJson(liveState(deployed), undefined)
  const { snapshot } = saved.deployment
  const settings = Object.fromEntries(
    Object.entries(snapshot.settings).filter(([key]) => !Object.hasOwn(DEFAULT_DAEMON_SETTINGS, key)),
  )
  const old = { ...saved, deployment: { ...saved.deployment, snapshot: { ...snapshot, settings } } }
  expect(Object.keys(settings)).toHaveLength(8)
  expect(parseStateJson(renderJson(old))).toEqual(liveState(deployed))
})

test('a state that was saved gives the same plan as the live one', () => {
  fc.assert(
    fc.property(live, fc.jsonValue(), (state, config) => {
      const read = parseStateJson(renderJson(stateJson(state, config)))
      expect(read).toEqual(state)
      expect(makePlan(read, deployed, source)).toEqual(makePlan(state, deployed, source))
    }),
  )
})

test('a state without anything applied', () => {
  const state = { ...liveState(EMPTY_DEPLOYMENT), program: undefined }
  expect(parseStateJson(renderJson(stateJson(state, undefined)))).toEqual(state)
})

test('a plan that was saved is read as it was', () => {
  fc.assert(
    fc.property(live, fc.array(strange), (state, sources) => {
      const plan = makePlan(state, deployed, { ...source, sources })
      expect(readPlanFile(writePlanFile(plan, digest), digest)).toEqual(plan)
    }),
  )
})

const plan: ExecutablePlan = makePlan(liveState(deployed), withProxies(web), source)
const file = writePlanFile(plan, digest)

function refused(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof LbError && error.code === 'input' && error.hint) return error.message
    throw error
  }
  throw new Error('was accepted')
}

test('any character changed in a plan file is noticed, or makes no difference', () => {
  fc.assert(
    fc.property(fc.nat({ max: file.length - 1 }), fc.string({ minLength: 1, maxLength: 1 }), (at, char) => {
      const edited = file.slice(0, at) + char + file.slice(at + 1)
      const same = isJson(edited) && canonicalJson(JSON.parse(edited)) === canonicalJson(JSON.parse(file))
      if (same) expect(readPlanFile(edited, digest)).toEqual(plan)
      else refused(() => readPlanFile(edited, digest))
    }),
  )
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('a plan file that was cut short is refused, wherever', () => {
  for (let end = 0; end < file.trimEnd().length; end += 7) {
    expect(refused(() => readPlanFile(file.slice(0, end), digest))).toMatch(
      /^the plan file is (empty|not JSON)/,
    )
  }
})

test('another layout of the same content is fine', () => {
  const content = JSON.parse(file) as Record<string, unknown>
  const turned = Object.fromEntries(Object.entries(content).reverse())
  expect(readPlanFile(JSON.stringify(turned), digest)).toEqual(plan)
})

/** A plan file with other content and a right checksum. */
function forged(change: (content: Record<string, unknown>) => object): string {
  const { checksum: _, ...content } = JSON.parse(file) as Record<string, unknown>
  const other = { ...content, ...change(content) }
  return JSON.stringify({ ...other, checksum: digest([canonicalJson(other)]) })
}

test.each<[string, string, RegExp]>([
  ['an array', '[]', /^this is not a plan file$/],
  ['another document', renderJson(stateJson(liveState(deployed), null)), /^this is not a plan file$/],
  ['another version', forged(() => ({ formatVersion: 2 })), /has format version 2, this lb reads version 1/],
  ['no version', forged(() => ({ formatVersion: undefined })), /has format version missing/],
  ['an edit', file.replace('"port": 80,', '"port": 81,'), /was changed after lb wrote it/],
  ['no checksum', forged(() => ({})).replace(/,"checksum":"[^"]*"/, ''), /was changed after lb wrote it/],
  ['a key too many', forged(() => ({ extra: 1 })), /^the plan file: extra must be absent/],
  ['a key too few', forged(() => ({ sources: undefined })), /: sources must be a list, but is missing$/],
  ['a wrong type', forged(() => ({ base: 5 })), /: base must be an object, but is 5$/],
  [
    'a wrong action',
    forged(() => ({ plan: { ...plan.plan, changes: [{ action: 'raze' }] } })),
    /: plan\.changes\[0\]\.action must be "create" or "update" or "delete", but is "raze"$/,
  ],
])('refuses %s as a plan file', (_, text, message) => {
  expect(refused(() => readPlanFile(text, digest))).toMatch(message)
})

const state = stateJson(liveState(deployed), {})

test.each<[string, unknown, RegExp]>([
  ['a list', [], /^the saved state: it must be an object, but is \[\]$/],
  ['another version', { ...state, formatVersion: 2 }, /has format version 2, this lb reads version 1$/],
  ['no generation', { ...state, generation: undefined }, /generation must be a whole number .* is missing$/],
  ['a negative generation', { ...state, generation: -1 }, /generation must be a whole number from 0 /],
  [
    'drift without its place',
    { ...state, drift: [{ action: 'create', address: 'a', before: null, after: {} }] },
    /drift\[0\]\.where must be text, but is missing$/,
  ],
  [
    'a program of no hash',
    { ...state, program: { sha256: 'x' } },
    /program\.sha256 must be a SHA-256 in hex, but is "x"$/,
  ],
  ['two truths', { ...state, attachments: [] }, /attachments differs from deployment\.attachments$/],
  [
    'an address of its own making',
    { ...state, deployment: withProxies({ ...web, listen: { ...web.listen, address: '::ffff:1.2.3.4' } }) },
    /deployment\.snapshot\.proxies\[0\]\.listen\.address must be an IP address in canonical form/,
  ],
  ['a setting that is none', { ...state, 'sl\x1bot': 1 }, /: "sl\\u001bot" must be absent/],
])('refuses %s as a saved state', (_, value, message) => {
  expect(refused(() => parseStateJson(JSON.stringify(value)))).toMatch(message)
})

test('refuses text that is no JSON as a saved state', () => {
  expect(refused(() => parseStateJson(''))).toBe('the saved state is empty')
  expect(refused(() => parseStateJson('version: 1'))).toMatch(/is not JSON/)
})
