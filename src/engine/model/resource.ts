/**
 * A snapshot taken apart into addressed resources, the unit of plans: what is compared, counted and
 * named. `proxy.web`, `proxy.web.target["10.0.0.1:8080"]`, `proxy.web.sourceRoute["10.0.0.0/8"]`,
 * `settings.connectionTimeoutSec`, `interface.eth0`, `program`.
 */
import { sameJson } from './compare.ts'
import { formatEndpoint } from './ip.ts'
import type { Attributes, Json } from './json.ts'
import { onRemoveKeys } from './on-remove.ts'
import { DEFAULT_DAEMON_SETTINGS, DEFAULT_HEALTH_CHECK, healthCheckKeys } from './policy.ts'
import type { Attachment, Deployment, Proxy, Settings } from './snapshot.ts'
import { routeAttributes, targetAttributes } from './target-attributes.ts'

export type { Attributes, Json } from './json.ts'

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

/**
 * The resources of a deployment, in canonical order. Settings are one resource each; those that only the
 * daemon reads are there where they are not the default.
 */
export function resourcesOf({ snapshot, attachments }: Deployment): Map<string, Attributes> {
  const resources = new Map<string, Attributes>()
  for (const proxy of snapshot.proxies) addProxy(resources, proxy)
  for (const attachment of attachments) {
    resources.set(interfaceAddress(attachment.name), attachmentAttributes(attachment))
  }
  for (const key of settingNames(snapshot.settings)) {
    resources.set(`settings.${key}`, { value: settingValue(snapshot.settings, key) })
  }
  return resources
}

/** How many there are, where no two have the same address. */
export function countResources({ snapshot, attachments }: Deployment): number {
  const ofProxies = snapshot.proxies.reduce(
    (sum, { defaultTarget, sourceRoutes }) => sum + 1 + defaultTarget.length + sourceRoutes.length,
    0,
  )
  return ofProxies + attachments.length + settingNames(snapshot.settings).length
}

const DAEMON_SETTINGS: Readonly<Record<string, unknown>> = { ...DEFAULT_DAEMON_SETTINGS }

function settingNames(settings: Settings): (keyof Settings)[] {
  const names = Object.keys(settings) as (keyof Settings)[]
  return names.filter((name) => {
    const usual = DAEMON_SETTINGS[name]
    return usual === undefined || !sameJson(settings[name] as Json, usual as Json)
  })
}

function settingValue(settings: Settings, key: keyof Settings): Json {
  return key === 'healthCheckDefaults' ? healthCheckKeys(settings[key]) : (settings[key] as Json)
}

/** What a resource is that is not among those of a deployment, because it is as it usually is. */
export function usualAttributes(address: string): Attributes | undefined {
  const key = address.startsWith('settings.') ? address.slice('settings.'.length) : ''
  if (key === 'healthCheckDefaults') return { value: healthCheckKeys(DEFAULT_HEALTH_CHECK) }
  return Object.hasOwn(DAEMON_SETTINGS, key) ? { value: DAEMON_SETTINGS[key] as Json } : undefined
}

function addProxy(resources: Map<string, Attributes>, proxy: Proxy): void {
  const { interfaces, address, port, protocol } = proxy.listen
  resources.set(proxyAddress(proxy.name), {
    listen: { interfaces, address, port, protocol },
    forwarding: proxy.forwarding,
    ...onRemoveKeys(proxy),
  })
  for (const target of proxy.defaultTarget) {
    resources.set(targetAddress(proxy.name, target.ip, target.port), targetAttributes(target))
  }
  for (const route of proxy.sourceRoutes) {
    resources.set(sourceRouteAddress(proxy.name, route.source), routeAttributes(route))
  }
}

/** `attach` as configured, `mode` as chosen, `roles` why it is attached. */
export function attachmentAttributes({ attach, mode, roles, ifindex, xdpXmit }: Attachment): Attributes {
  if (ifindex === 0) return { attach, mode: ON_HOST, roles, ifindex: ON_HOST, xdpRedirect: ON_HOST }
  return { attach, mode, roles, ifindex, xdpRedirect: xdpXmit }
}

/** What a plan made away from the host cannot tell. */
export const ON_HOST = '(known on the host)'
