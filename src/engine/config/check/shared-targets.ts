import { formatEndpoint } from '../../model/ip.ts'
import { compareText } from '../../model/order.ts'
import type { Problem } from '../../model/problem.ts'
import type { DraftProxy, DraftTarget, DraftTargets } from '../draft.ts'
import { problemAt, spell } from '../source.ts'
import { entryOf, toValue } from '../syntax/node.ts'
import { listsOf } from './targets.ts'

/**
 * What is known of a target holds for all lists of its proxy: it cannot be drained, or asked in another
 * way, in one of them only.
 */
export function checkSharedTargets(proxies: readonly DraftProxy[]): Problem[] {
  return proxies.flatMap((proxy) => {
    const lists = proxy.sourceRoutes.length === 0 ? [] : listsOf(proxy)
    return lists.some(({ targets }) => targets.some(isSpecial)) ? checkProxy(proxy, lists) : []
  })
}

function isSpecial({ healthCheck, drain, dnsRefreshSeconds }: DraftTarget): boolean {
  return healthCheck !== undefined || drain || dnsRefreshSeconds !== undefined
}

const KEYS = ['healthCheck', 'drain', 'dnsRefreshSeconds'] as const

function checkProxy({ source }: DraftProxy, lists: readonly DraftTargets[]): Problem[] {
  const problems: Problem[] = []
  const first = new Map<string, { readonly list: DraftTargets; readonly target: DraftTarget }>()
  for (const { list, target } of lists.flatMap((one) =>
    one.targets.map((item) => ({ list: one, target: item })),
  )) {
    const name = target.ip?.value.text ?? target.host?.value
    if (name === undefined || target.port === undefined) continue
    const endpoint = formatEndpoint(name, target.port.value)
    const other = first.get(endpoint)
    if (other === undefined) first.set(endpoint, { list, target })
    // Twice in one list is another mistake.
    if (other === undefined || other.list === list) continue
    const key = KEYS.find((one) => differs(said(target, one), said(other.target, one)))
    if (key === undefined) continue
    const message = `Target \`${endpoint}\` has another \`${spell(source, key)}\` here than in another list of this proxy`
    problems.push(
      problemAt({ source, span: target.node }, 'target-differs', message, {
        hint: 'Say the same in all lists that have it.',
        related: { message: 'it is here first', at: { source, span: other.target.node } },
      }),
    )
  }
  return problems
}

function differs(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b
}

/** A key's value, as something to compare; `undefined` where it is wrong, which has been reported. */
function said(target: DraftTarget, key: (typeof KEYS)[number]): string | undefined {
  const { healthCheck, drain, dnsRefreshSeconds } = target
  if (key === 'drain') return String(drain)
  if (key === 'dnsRefreshSeconds') return String(dnsRefreshSeconds?.value)
  if (healthCheck === undefined) return entryOf(target.node, key) === undefined ? 'none' : undefined
  const entries = [...healthCheck.entries.values()].map((entry) => [entry.key, toValue(entry.value)] as const)
  return JSON.stringify(entries.sort(([a], [b]) => compareText(a, b)))
}
