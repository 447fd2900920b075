/** What is known of names while a snapshot is resolved, and what is wrong with them. */
import { MAX_ADDRESSES, usableAddresses } from '../dns/addresses.ts'
import { proxyAddress } from '../model/resource.ts'
import type { Problem, SourceRange } from '../model/problem.ts'
import type { HostAddresses } from '../model/resolution.ts'
import type { RuleId } from '../model/rules.ts'
import type { Family } from '../model/snapshot.ts'

const FAMILY: Readonly<Record<Family, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

export interface ResolveOptions {
  /** Names that have no address are left out, with a warning, instead of being errors. */
  readonly allowUnresolved?: boolean
  /** Why names could not be resolved, by name. */
  readonly failures?: ReadonlyMap<string, string>
  /** Where resources are defined: see `Loaded`. */
  readonly locate?: (address: string) => SourceRange | undefined
}

/** For what addresses are wanted. */
export interface Use {
  readonly family: Family
  readonly proxy: string
  /** The address of the resource that has the name. */
  readonly at: string
  /** An address that will not do. */
  readonly except?: string | undefined
}

export interface Names {
  readonly problems: readonly Problem[]
  /** Whether it has an address of a family. */
  readonly has: (host: string, family: Family) => boolean
  /** Its addresses, for a proxy of this family. That there is none is reported, at the resource that names it. */
  readonly addresses: (host: string, use: Use) => readonly string[]
  /** Reports a proxy that no default target is left of. */
  readonly leftOut: (proxy: string) => void
}

export function namesOf(
  answers: HostAddresses,
  { allowUnresolved = false, failures, locate }: ResolveOptions,
): Names {
  const problems: Problem[] = []
  const reported = new Set<string>()
  const known = new Map<string, readonly string[]>()
  const usable = (host: string, family: Family): readonly string[] => {
    const key = `${family} ${host}`
    const found = known.get(key) ?? usableAddresses(answers.get(host) ?? [], family)
    known.set(key, found)
    return found
  }
  const report = (
    severity: Problem['severity'],
    rule: RuleId,
    message: string,
    at: string,
    hint: string,
  ): void => {
    if (reported.has(`${at} ${message}`)) return
    reported.add(`${at} ${message}`)
    const range = locate?.(at)
    problems.push({ severity, rule, message, hint, ...(range && { range }) })
  }
  return {
    problems,
    has: (host, family) => usable(host, family).length > 0,
    addresses: (host, { family, proxy, at, except }) => {
      const all = usable(host, family)
      const found = except !== undefined && all.includes(except) ? all.filter((ip) => ip !== except) : all
      const given = answers.get(host) ?? []
      if (found.length === 0) {
        const message = unresolved(host, family, proxy, given, failures?.get(host))
        const severity = allowUnresolved ? 'warning' : 'error'
        const hint = allowUnresolved
          ? 'It is left out until it can be.'
          : 'Add --allow-unresolved to go on without it until it can be.'
        report(severity, 'unresolved-host', message, at, hint)
      } else if (all.length === MAX_ADDRESSES && new Set(given).size > MAX_ADDRESSES) {
        const message = `\`${host}\` has ${new Set(given).size} addresses, more than ${MAX_ADDRESSES}`
        report('warning', 'many-addresses', message, at, `The first ${MAX_ADDRESSES} in order are used.`)
      }
      return found
    },
    leftOut: (proxy) => {
      if (!allowUnresolved) return
      const message = `Proxy \`${proxy}\` is left out: none of its default targets has an address`
      report('warning', 'unresolved-host', message, proxyAddress(proxy), 'It is made when one has.')
    },
  }
}

function unresolved(
  host: string,
  family: Family,
  proxy: string,
  given: readonly string[],
  failure: string | undefined,
): string {
  if (given.length === 0)
    return `\`${host}\` could not be resolved${failure === undefined ? '' : `: ${failure}`}`
  const some = given.slice(0, 3).join(', ')
  const more = given.length > 3 ? ` and ${given.length - 3} more` : ''
  return `\`${host}\` has no ${FAMILY[family]} address that proxy \`${proxy}\` can use, only ${some}${more}`
}
