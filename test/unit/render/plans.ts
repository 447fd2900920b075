/** Deployments to make plans of. */
import { EMPTY_DEPLOYMENT } from '../../../src/engine/model/live.ts'
import type { LiveState } from '../../../src/engine/model/live.ts'
import type { Drift, Plan } from '../../../src/engine/model/plan.ts'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import type { Attachment, Deployment, Proxy } from '../../../src/engine/model/snapshot.ts'
import { makePlan } from '../../../src/engine/plan/plan.ts'

export const web: Proxy = {
  name: 'web',
  listen: { interfaces: ['eth0'], address: '203.0.113.10', port: 80, protocol: 'tcp' },
  forwarding: 'nat',
  defaultTarget: [
    { ip: '10.0.0.1', port: 8080, weight: 50 },
    { ip: '10.0.0.2', port: 8080, weight: 50 },
  ],
  sourceRoutes: [
    {
      source: '192.168.0.0/16',
      targets: [
        { ip: '10.0.1.1', port: 8080, weight: 60 },
        { ip: '10.0.1.2', port: 8080, weight: 30 },
        { ip: '10.0.1.3', port: 8080, weight: 10 },
      ],
    },
  ],
}

export const dns: Proxy = {
  name: 'dns.internal',
  listen: { interfaces: ['eth0', 'eth1'], address: null, port: 53, protocol: 'udp' },
  forwarding: 'nat',
  defaultTarget: [{ ip: 'fd00::53', port: 5353, weight: null }],
  sourceRoutes: [],
}

export const eth0: Attachment = {
  name: 'eth0',
  ifindex: 2,
  attach: 'auto',
  mode: 'tcx',
  roles: ['listen', 'backend'],
  xdpXmit: false,
}

export const deployed: Deployment = {
  snapshot: {
    proxies: [dns, web],
    interfaces: [{ name: 'eth1', attach: 'xdp-generic' }],
    settings: DEFAULT_SETTINGS,
  },
  attachments: [
    eth0,
    {
      ...eth0,
      name: 'eth1',
      ifindex: 3,
      attach: 'xdp-generic',
      mode: 'xdp-generic',
      roles: ['listen', 'configured'],
    },
  ],
}

export function liveState(deployment: Deployment, drift: readonly Drift[] = []): LiveState {
  const generation = deployment === EMPTY_DEPLOYMENT ? 0 : 7
  return {
    instance: 'default',
    generation,
    slot: generation === 0 ? 255 : 2,
    fingerprint: 'f'.repeat(64),
    deployment,
    applied: undefined,
    drift,
    program: { sha256: 'a'.repeat(64) },
  }
}

export const source = { sources: ['lb.yaml'], configHash: 'c'.repeat(64), program: 'a'.repeat(64) }

export function planOf(before: Deployment, after: Deployment, drift: readonly Drift[] = []): Plan {
  return makePlan(liveState(before, drift), after, source).plan
}

export function withProxies(...proxies: readonly Proxy[]): Deployment {
  return { ...deployed, snapshot: { ...deployed.snapshot, proxies } }
}
