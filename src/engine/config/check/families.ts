import type { Problem } from '../../model/problem.ts'
import type { Family } from '../../model/snapshot.ts'
import type { DraftProxy, DraftTargets } from '../draft.ts'
import { type Extras, type Place, problemAt, spell } from '../source.ts'

const NAMES: Readonly<Record<Family, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

/** The address, the targets and the source routes of a proxy are all of one family. */
export function checkFamilies(proxies: readonly DraftProxy[]): Problem[] {
  return proxies.flatMap((proxy) => {
    const { family, sourceRoutes, source } = proxy
    if (family === undefined) return []
    const fromRoutes = sourceRoutes.flatMap((route): Problem[] => {
      // A route of the other family altogether is one mistake.
      if (route.source === undefined || route.source.value.family === family) {
        return checkList(proxy, family, route.targets)
      }
      const { text } = route.source.value
      const message = `No client of \`${text}\` comes to this proxy, which is ${NAMES[family]}`
      return [problemAt({ source, span: route.source.node }, 'mixed-families', message, why(proxy, family))]
    })
    return [...checkList(proxy, family, proxy.defaultTarget), ...fromRoutes]
  })
}

function checkList(proxy: DraftProxy, family: Family, list: DraftTargets | undefined): Problem[] {
  const others = list?.targets.filter(({ ip }) => ip !== undefined && ip.value.family !== family) ?? []
  return others.flatMap(({ ip }) => {
    if (ip === undefined) return []
    const message = `Target \`${ip.value.text}\` is ${NAMES[ip.value.family]}, but this proxy is ${NAMES[family]}`
    return [problemAt({ source: proxy.source, span: ip.node }, 'mixed-families', message, why(proxy, family))]
  })
}

/** What has made the proxy the family that it is. */
function why({ source, listen, defaultTarget }: DraftProxy, family: Family): Extras {
  const hint = 'Make a second proxy for the other family.'
  const address = listen?.address
  const target = defaultTarget?.targets.find(({ ip }) => ip?.value.family === family)?.ip
  const node = address?.node ?? target?.node
  if (node === undefined) return { hint }
  const at: Place = { source, span: node }
  const reason = address === undefined ? 'as most targets are' : `as its \`${spell(source, 'address')}\` is`
  return { hint, related: { message: `it is ${NAMES[family]}, ${reason}`, at } }
}
