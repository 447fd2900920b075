import { compareText } from '../model/order.ts'
import type { Problem, SourceRange } from '../model/problem.ts'
import { interfaceAddress } from '../model/resource.ts'
import type { UnresolvedSnapshot } from '../model/unresolved.ts'
import { listenAddress } from './locate.ts'
import type { RuleId } from '../model/rules.ts'
import { suggest } from './suggest.ts'

const RULE: RuleId = 'unknown-interface'

/** A snapshot against the interfaces that the host has. An interface that is missing is reported once. */
export function checkHost(
  {
    snapshot,
    locate,
  }: {
    readonly snapshot: UnresolvedSnapshot
    readonly locate: (address: string) => SourceRange | undefined
  },
  existing: readonly string[],
): Problem[] {
  const known = new Set(existing)
  const problems: Problem[] = []
  for (const [name, addresses] of usesOf(snapshot)) {
    if (known.has(name)) continue
    const [range] = addresses
      .map(locate)
      .filter((found) => found !== undefined)
      .sort(compareRanges)
    const more = addresses.length > 1 ? ` (named in ${addresses.length} places)` : ''
    problems.push({
      severity: 'error',
      rule: RULE,
      message: `This host has no interface \`${name}\`${more}`,
      hint: hintFor(name, existing),
      ...(range && { range }),
    })
  }
  return problems.sort((a, b) => (a.range && b.range ? compareRanges(a.range, b.range) : 0))
}

function compareRanges(a: SourceRange, b: SourceRange): number {
  return compareText(a.file, b.file) || a.start.byte - b.start.byte
}

/** Interface names with the addresses that use them, in the order of the snapshot. */
function usesOf({ proxies, interfaces }: UnresolvedSnapshot): Map<string, string[]> {
  const uses = new Map<string, string[]>()
  const add = (name: string, address: string): void => {
    const found = uses.get(name)
    if (found === undefined) uses.set(name, [address])
    else found.push(address)
  }
  for (const { name, listen } of proxies)
    for (const entry of listen.interfaces) add(entry, listenAddress(name, entry))
  for (const { name } of interfaces) add(name, interfaceAddress(name))
  return uses
}

function hintFor(name: string, existing: readonly string[]): string {
  const meant = suggest(name, existing)
  if (meant !== undefined) return `Did you mean \`${meant}\`?`
  const some = existing.slice(0, 8).map((other) => `\`${other}\``)
  return `It has ${some.join(', ')}${existing.length > some.length ? ' and more' : ''}.`
}
