import { formatEndpoint } from '../../model/ip.ts'
import type { Problem } from '../../model/problem.ts'
import type { DraftProxy, DraftTarget } from '../draft.ts'
import { problemAt, spell } from '../source.ts'
import { toValue } from '../syntax/node.ts'
import { listsOf } from './targets.ts'

/**
 * What is known of a target holds for all lists of its proxy: it cannot be drained, or asked in another
 * way, in one of them only.
 */
export function checkSharedTargets(proxies: readonly DraftProxy[]): Problem[] {
  return proxies.flatMap((proxy) => {
    const targets = proxy.sourceRoutes.length === 0 ? [] : listsOf(proxy).flatMap((list) => list.targets)
    return targets.some(isSpecial) ? checkProxy(proxy, targets) : []
  })
}

function isSpecial({ healthCheck, drain, dnsRefreshSeconds }: DraftTarget): boolean {
  return healthCheck !== undefined || drain || dnsRefreshSeconds !== undefined
}

const KEYS = ['healthCheck', 'drain', 'dnsRefreshSeconds'] as const

function checkProxy({ source }: DraftProxy, targets: readonly DraftTarget[]): Problem[] {
  const problems: Problem[] = []
  const first = new Map<string, DraftTarget>()
  for (const target of targets) {
    const name = target.ip?.value.text ?? target.host?.value
    if (name === undefined || target.port === undefined) continue
    const endpoint = formatEndpoint(name, target.port.value)
    const other = first.get(endpoint)
    if (other === undefined) first.set(endpoint, target)
    else {
      const key = KEYS.find((one) => said(target, one) !== said(other, one))
      if (key === undefined) continue
      const message = `Target \`${endpoint}\` has another \`${spell(source, key)}\` here than in another list of this proxy`
      problems.push(
        problemAt({ source, span: target.node }, 'target-differs', message, {
          hint: 'Say the same in all lists that have it.',
          related: { message: 'it is here first', at: { source, span: other.node } },
        }),
      )
    }
  }
  return problems
}

/** A key's value, as something to compare. */
function said({ healthCheck, drain, dnsRefreshSeconds }: DraftTarget, key: (typeof KEYS)[number]): unknown {
  if (key === 'drain') return drain
  if (key === 'dnsRefreshSeconds') return dnsRefreshSeconds?.value
  if (healthCheck === undefined) return undefined
  const entries = [...healthCheck.entries.values()].map((entry) => [entry.key, toValue(entry.value)] as const)
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
