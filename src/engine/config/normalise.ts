import { compareNames, compareRoutes, compareTargets, compareText } from '../model/order.ts'
import { DEFAULT_SETTINGS } from '../model/snapshot.ts'
import type { InterfaceSetting, Proxy, Snapshot, SourceRoute, Target } from '../model/snapshot.ts'
import { defaults } from './defaults.generated.ts'
import type { Draft, DraftInterface, DraftListen, DraftProxy, DraftRoute, DraftTargets } from './draft.ts'
import type { Proxy as ProxyInput } from './types.generated.ts'

/** The snapshot that a draft without errors stands for: defaults filled in, in canonical order. */
export function normalise({ proxies, interfaces, settings }: Draft): Snapshot {
  const given = Object.fromEntries(
    settings.map(({ key, value }) => [key, value.kind === 'scalar' ? value.value : undefined]),
  )
  return {
    proxies: proxies.map(normaliseProxy).sort(compareNames),
    interfaces: interfaces.map(normaliseInterface).sort(compareNames),
    settings: { ...DEFAULT_SETTINGS, ...given },
  }
}

/** What a check has made sure of. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a draft with errors cannot be normalised')
  return value
}

function normaliseProxy(draft: DraftProxy): Proxy {
  const listen = present(draft.listen)
  return {
    name: present(draft.name).value,
    listen: {
      interfaces: listen.interfaces.map(({ value }) => value).sort(compareText),
      address: normaliseAddress(listen),
      port: present(listen.port).value,
      protocol: present(listen.protocol),
    },
    forwarding: present<NonNullable<ProxyInput['forwarding']>>(draft.forwarding),
    defaultTarget: normaliseTargets(draft.defaultTarget),
    sourceRoutes: draft.sourceRoutes.map(normaliseRoute).sort(compareRoutes),
  }
}

function normaliseAddress({ address }: DraftListen): string | null {
  return address === undefined || address.value.kind === 'any' ? null : address.value.text
}

/** A target that has no other beside it gets everything, whether it says `weight: 100` or not. */
function normaliseTargets(list: DraftTargets | undefined): Target[] {
  const { targets } = present(list)
  return targets
    .map(({ ip, port, weight }) => ({
      ip: present(ip).value.text,
      port: present(port).value,
      weight: targets.length === 1 ? null : (weight?.value ?? null),
    }))
    .sort(compareTargets)
}

function normaliseRoute({ source, targets }: DraftRoute): SourceRoute {
  return { source: present(source).value.text, targets: normaliseTargets(targets) }
}

function normaliseInterface({ name, attach }: DraftInterface): InterfaceSetting {
  return { name, attach: (attach?.value ?? defaults.interface.attach) as InterfaceSetting['attach'] }
}
