/** What only the addresses of names can tell of listeners. */
import { familyOf } from '../../model/ip.ts'
import type { Problem, SourceRange } from '../../model/problem.ts'
import { proxyAddress } from '../../model/resource.ts'
import type { RuleId } from '../../model/rules.ts'
import type { Proxy } from '../../model/snapshot.ts'

const RULE: RuleId = 'duplicate-listener'

/** No two proxies take the same packets: which those of a proxy without an address are, its targets tell. */
export function checkResolvedListeners(
  proxies: readonly Proxy[],
  { locate }: { readonly locate?: (address: string) => SourceRange | undefined },
): Problem[] {
  const problems: Problem[] = []
  const owners = new Map<string, string>()
  for (const { name, listen, defaultTarget } of proxies) {
    const { interfaces, port, protocol } = listen
    const address = listen.address ?? familyOf(defaultTarget[0]?.ip ?? '')
    const taken = new Set<string>()
    for (const item of interfaces) {
      const key = `${item} ${address} ${port} ${protocol}`
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, name)
      else taken.add(owner)
    }
    for (const owner of taken) {
      const range = locate?.(proxyAddress(name))
      const message = `Proxies \`${owner}\` and \`${name}\` both listen on ${protocol} port ${port}, and the addresses of their targets are of one family`
      const hint = 'Give one of the two another port, address or interface.'
      problems.push({ severity: 'error', rule: RULE, message, hint, ...(range && { range }) })
    }
  }
  return problems
}
