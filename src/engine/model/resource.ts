/**
 * A snapshot taken apart into addressed resources, the unit of plans: what is compared, counted and
 * named. `proxy.web`, `proxy.web.target["10.0.0.1:8080"]`, `proxy.web.sourceRoute["10.0.0.0/8"]`,
 * `settings.connectionTimeoutSec`, `interface.eth0`, `program`.
 */
import { formatEndpoint } from './ip.ts'
import type { Attachment, Deployment, Proxy, Target } from './snapshot.ts'

/** Attributes are plain JSON, compared by value. */
export type Attributes = Readonly<Record<string, Json>>
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export type Resources = ReadonlyMap<string, Attributes>

/** `web` as it stands in an address: quoted where it could be misread. */
export function proxyAddress(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? `proxy.${name}` : `proxy[${JSON.stringify(name)}]`
}

export function targetAddress(proxy: string, ip: string, port: number): string {
  return `${proxyAddress(proxy)}.target[${JSON.stringify(formatEndpoint(ip, port))}]`
}

export function sourceRouteAddress(proxy: string, source: string): string {
  return `${proxyAddress(proxy)}.sourceRoute[${JSON.stringify(source)}]`
}

export function interfaceAddress(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? `interface.${name}` : `interface[${JSON.stringify(name)}]`
}

/** The resources of a deployment, in canonical order. Settings are one resource each. */
export function resourcesOf({ snapshot, attachments }: Deployment): Map<string, Attributes> {
  const resources = new Map<string, Attributes>()
  for (const proxy of snapshot.proxies) addProxy(resources, proxy)
  for (const attachment of attachments) {
    resources.set(interfaceAddress(attachment.name), attachmentAttributes(attachment))
  }
  for (const [key, value] of Object.entries(snapshot.settings)) {
    resources.set(`settings.${key}`, { value: value as Json })
  }
  return resources
}

/** How many there are, where no two have the same address. */
export function countResources({ snapshot, attachments }: Deployment): number {
  const ofProxies = snapshot.proxies.reduce(
    (sum, { defaultTarget, sourceRoutes }) => sum + 1 + defaultTarget.length + sourceRoutes.length,
    0,
  )
  return ofProxies + attachments.length + Object.keys(snapshot.settings).length
}

function addProxy(resources: Map<string, Attributes>, proxy: Proxy): void {
  const { interfaces, address, port, protocol } = proxy.listen
  resources.set(proxyAddress(proxy.name), {
    listen: { interfaces, address, port, protocol },
    forwarding: proxy.forwarding,
  })
  for (const target of proxy.defaultTarget) {
    resources.set(targetAddress(proxy.name, target.ip, target.port), { weight: target.weight })
  }
  for (const route of proxy.sourceRoutes) {
    resources.set(sourceRouteAddress(proxy.name, route.source), { targets: targetWeights(route.targets) })
  }
}

function targetWeights(targets: readonly Target[]): Json {
  return Object.fromEntries(targets.map(({ ip, port, weight }) => [formatEndpoint(ip, port), weight]))
}

/** `attach` as configured, `mode` as chosen, `roles` why it is attached. */
export function attachmentAttributes({ attach, mode, roles, ifindex, xdpXmit }: Attachment): Attributes {
  if (ifindex === 0) return { attach, mode: ON_HOST, roles, ifindex: ON_HOST, xdpRedirect: ON_HOST }
  return { attach, mode, roles, ifindex, xdpRedirect: xdpXmit }
}

/** What a plan made away from the host cannot tell. */
export const ON_HOST = '(known on the host)'
