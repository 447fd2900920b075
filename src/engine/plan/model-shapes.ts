/**
 * The shapes of the model's types. A deployment that was read from maps may hold what no configuration
 * says, such as a proxy without a listener, so limits here are those of the maps' fields.
 */
import { formatIp, parseIp } from '../model/ip.ts'
import type { Change, Drift, Plan, Summary } from '../model/plan.ts'
import { PLAN_FORMAT_VERSION } from '../model/plan.ts'
import type { Attributes } from '../model/resource.ts'
import type { Attachment, Deployment, InterfaceSetting, Listen, Proxy } from '../model/snapshot.ts'
import type { Settings, Snapshot, SourceRoute, Target } from '../model/snapshot.ts'
import { daemonSettings, healthCheck, origin } from './policy-shapes.ts'
import { flag, json, listOf, mapOf, matching, mismatch, nothing, nullable } from './shape.ts'
import { isObject, oneOf, optional, record, text, whole, yes } from './shape.ts'
import type { Shape } from './shape.ts'

const U16 = 0xffff
const U32 = 0xffffffff

/** 32 bytes in hex. */
export const sha256 = matching(/^[0-9a-f]{64}$/, 'a SHA-256 in hex')
export const generation = whole(0, Number.MAX_SAFE_INTEGER)
export const slot = whole(0, U32)

const address: Shape<string> = (value, at) => {
  const bytes = typeof value === 'string' ? parseIp(value) : undefined
  return bytes && formatIp(bytes) === value ? value : mismatch(at, 'an IP address in canonical form', value)
}

const attach = oneOf('auto', 'xdp', 'xdp-generic', 'tcx', 'none')

const listen = record<Listen>({
  interfaces: listOf(text),
  address: nullable(address),
  port: whole(0, U16),
  protocol: oneOf('tcp', 'udp'),
})

const target = record<Target>({
  ip: address,
  port: whole(0, U16),
  weight: nullable(whole(1, U16)),
  healthCheck: optional(healthCheck),
  drain: optional(yes),
  origin: optional(origin),
})

const sourceRoute = record<SourceRoute>({
  source: matching(/^[0-9a-f:.]+\/-?[0-9]+$/, 'a network, such as "10.0.0.0/8"'),
  targets: listOf(target),
  origin: optional(text),
})

const proxy = record<Proxy>({
  name: text,
  listen,
  forwarding: oneOf('nat'),
  defaultTarget: listOf(target),
  sourceRoutes: listOf(sourceRoute),
  endRemovedAfterSec: optional(whole(0, U32)),
})

const snapshot = record<Snapshot>({
  proxies: listOf(proxy),
  interfaces: listOf(record<InterfaceSetting>({ name: text, attach })),
  settings: record<Settings>({
    connectionTimeoutSec: whole(0, U32),
    synTimeoutSec: whole(0, U32),
    finTimeoutSec: whole(0, U32),
    timeWaitTimeoutSec: whole(0, U32),
    resetTimeoutSec: whole(0, U32),
    udpTimeoutSec: whole(0, U32),
    udpStreamTimeoutSec: whole(0, U32),
    maxConnections: whole(0, U32),
    ...daemonSettings,
  }),
})

export const attachments = listOf(
  record<Attachment>({
    name: text,
    ifindex: whole(0, U32),
    attach,
    mode: oneOf('xdp', 'xdp-generic', 'tcx', 'none'),
    roles: listOf(oneOf('listen', 'backend', 'configured')),
    xdpXmit: flag,
  }),
)

export const deployment = record<Deployment>({ snapshot, attachments })

const attributes: Shape<Attributes> = mapOf(json)

type Variant<T, A> = Extract<T, { readonly action: A }>

export const change = byAction<Change>({
  create: record<Variant<Change, 'create'>>({
    action: oneOf('create'),
    address: text,
    before: nothing,
    after: attributes,
  }),
  update: record<Variant<Change, 'update'>>({
    action: oneOf('update'),
    address: text,
    before: attributes,
    after: attributes,
  }),
  delete: record<Variant<Change, 'delete'>>({
    action: oneOf('delete'),
    address: text,
    before: attributes,
    after: nothing,
  }),
})

export const drift: Shape<Drift> = (value, at) => {
  if (!isObject(value)) return mismatch(at, 'an object', value)
  const { where, ...rest } = value
  return { ...change(rest, at), where: text(where, `${at}.where`) }
}

function byAction<T extends Change>(shapes: { readonly [A in T['action']]: Shape<T> }): Shape<T> {
  const action = oneOf(...(Object.keys(shapes) as T['action'][]))
  return (value, at) => {
    if (!isObject(value)) return mismatch(at, 'an object', value)
    return shapes[action(value['action'], `${at}.action`)](value, at)
  }
}

const summary = record<Summary>({ create: whole(0, U32), update: whole(0, U32), delete: whole(0, U32) })

export const plan = record<Plan>({
  formatVersion: oneOf(PLAN_FORMAT_VERSION),
  instance: text,
  live: record<Plan['live']>({ generation, fingerprint: text }),
  changes: listOf(change),
  drift: listOf(drift),
  summary,
  unchanged: whole(0, U32),
})
