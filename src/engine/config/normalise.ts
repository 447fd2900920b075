import { compareNames, compareText } from '../model/order.ts'
import { DEFAULT_HEALTH_CHECK } from '../model/policy.ts'
import { DEFAULT_SETTINGS } from '../model/snapshot.ts'
import type { InterfaceSetting, Settings } from '../model/snapshot.ts'
import {
  compareUnresolvedRoutes,
  compareUnresolvedTargets,
  DEFAULT_DNS_REFRESH_SECONDS,
} from '../model/unresolved.ts'
import type {
  UnresolvedProxy,
  UnresolvedRoute,
  UnresolvedSnapshot,
  UnresolvedTarget,
} from '../model/unresolved.ts'
import { defaults } from './defaults.generated.ts'
import type {
  Draft,
  DraftInterface,
  DraftListen,
  DraftProxy,
  DraftRoute,
  DraftSetting,
  DraftTarget,
  DraftTargets,
} from './draft.ts'
import { type Checks, checksOn, healthCheckFrom } from './health-check.ts'
import { toValue } from './syntax/node.ts'
import type { Proxy as ProxyInput } from './types.generated.ts'

/** What a draft without errors stands for: defaults filled in, in canonical order. */
export function normalise({ proxies, interfaces, settings }: Draft): UnresolvedSnapshot {
  const all = normaliseSettings(settings)
  const checks = checksOn(all.healthCheckDefaults)
  return {
    proxies: proxies.map((proxy) => normaliseProxy(proxy, checks)).sort(compareNames),
    interfaces: interfaces.map(normaliseInterface).sort(compareNames),
    settings: all,
  }
}

function normaliseSettings(settings: readonly DraftSetting[]): Settings {
  const usual: Readonly<Record<string, unknown>> = { ...DEFAULT_SETTINGS }
  const given = settings.map(({ key, value, check }): [string, unknown] => {
    if (check !== undefined) return [key, healthCheckFrom(check, DEFAULT_HEALTH_CHECK)]
    return [
      key,
      value.kind === 'map' ? { ...(usual[key] as object), ...(toValue(value) as object) } : toValue(value),
    ]
  })
  return { ...DEFAULT_SETTINGS, ...(Object.fromEntries(given) as Partial<Settings>) }
}

/** What a check has made sure of. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a draft with errors cannot be normalised')
  return value
}

function normaliseProxy(draft: DraftProxy, checks: Checks): UnresolvedProxy {
  const listen = present(draft.listen)
  const endRemovedAfterSec = draft.onRemove === 'reset' ? 0 : draft.onRemoveDeadlineSec?.value
  return {
    name: present(draft.name).value,
    listen: {
      interfaces: listen.interfaces.map(({ value }) => value).sort(compareText),
      address: normaliseAddress(listen),
      port: present(listen.port).value,
      protocol: present(listen.protocol),
    },
    forwarding: present<NonNullable<ProxyInput['forwarding']>>(draft.forwarding),
    defaultTarget: normaliseTargets(draft.defaultTarget, checks),
    sourceRoutes: draft.sourceRoutes
      .map((route) => normaliseRoute(route, checks))
      .sort(compareUnresolvedRoutes),
    ...(endRemovedAfterSec !== undefined && { endRemovedAfterSec }),
  }
}

function normaliseAddress({ address }: DraftListen): string | null {
  return address === undefined || address.value.kind === 'any' ? null : address.value.text
}

/** A target that has no other beside it gets everything, whether it says `weight: 100` or not. */
function normaliseTargets(list: DraftTargets | undefined, checks: Checks): UnresolvedTarget[] {
  const { targets } = present(list)
  const alone = targets.length === 1
  return targets
    .map((target) => normaliseTarget(target, alone ? null : (target.weight?.value ?? null), checks))
    .sort(compareUnresolvedTargets)
}

function normaliseTarget(target: DraftTarget, weight: number | null, checks: Checks): UnresolvedTarget {
  const port = present(target.port).value
  const { ip, host, healthCheck, drain, dnsRefreshSeconds } = target
  if (ip !== undefined && healthCheck === undefined && !drain) return { ip: ip.value.text, port, weight }
  const policies = {
    ...(healthCheck && { healthCheck: checks(healthCheck) }),
    ...(drain && { drain }),
  }
  if (ip !== undefined) return { ip: ip.value.text, port, weight, ...policies }
  return {
    host: present(host).value,
    port,
    weight,
    dnsRefreshSeconds: dnsRefreshSeconds?.value ?? DEFAULT_DNS_REFRESH_SECONDS,
    ...policies,
  }
}

function normaliseRoute({ source, sourceHost, targets }: DraftRoute, checks: Checks): UnresolvedRoute {
  const list = normaliseTargets(targets, checks)
  return sourceHost === undefined
    ? { source: present(source).value.text, targets: list }
    : { sourceHost: sourceHost.value, targets: list }
}

function normaliseInterface({ name, attach }: DraftInterface): InterfaceSetting {
  return { name, attach: (attach?.value ?? defaults.interface.attach) as InterfaceSetting['attach'] }
}
