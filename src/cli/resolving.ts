/** The names of a configuration, resolved for a command: once, each as well as can be. */
import { Flags } from '@oclif/core'
import { answered, createName, hostAddresses, type NameState } from '../engine/dns/name.ts'
import { explain } from '../engine/dns/explain.ts'
import { LbError } from '../engine/model/errors.ts'
import type { Answer, HostAddresses } from '../engine/model/resolution.ts'
import type { Family } from '../engine/model/snapshot.ts'
import type { HostName } from '../engine/model/unresolved.ts'
import type { ResolverPort } from '../engine/ports/resolver.ts'
import type { Naming, NamesFound } from './naming.ts'

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']
/** Names that are asked for at once. */
const CONCURRENCY = 50

export const allowUnresolvedFlag = Flags.boolean({
  description: 'go on without names that cannot be resolved',
})

/** Names by /etc/hosts and DNS. `LB_DNS_SERVERS` has other servers than the host's, separated by commas. */
export function hostNaming(allowUnresolved: boolean): Naming {
  return {
    allowUnresolved,
    resolve: async (hosts, known) => resolveHosts(await openResolver(), hosts, known),
  }
}

/** @throws LbError where `LB_DNS_SERVERS` is no list of addresses. */
export async function openResolver(): Promise<ResolverPort> {
  const { createResolver } = await import('../daemon/resolver.ts')
  const given = process.env['LB_DNS_SERVERS']
  const servers = given?.split(',').map((server) => server.trim()).filter((server) => server !== '') // prettier-ignore
  try {
    return createResolver(servers?.length ? { servers } : {})
  } catch (cause) {
    const hint = 'Addresses, with ports where they are not 53: 192.0.2.53,[2001:db8::53]:5353'
    throw new LbError('usage', `LB_DNS_SERVERS is no list of DNS servers: ${given ?? ''}`, { cause, hint })
  }
}

/** `known` is called only where something cannot be resolved. */
export async function resolveHosts(
  resolver: ResolverPort,
  hosts: readonly HostName[],
  known: () => HostAddresses,
): Promise<NamesFound> {
  const found: { readonly host: string; readonly answers: readonly (readonly [Family, Answer])[] }[] = []
  const waiting = hosts.values()
  const worker = async (): Promise<void> => {
    for (const { host } of waiting) {
      const ask = async (family: Family): Promise<[Family, Answer]> => [
        family,
        await resolver.resolve({ host, family }),
      ]
      found.push({ host, answers: await Promise.all(FAMILIES.map(ask)) })
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, hosts.length) }, worker))

  const states: NameState[] = []
  const failures = new Map<string, string>()
  const kept = new Map<string, string>()
  let before: HostAddresses | undefined
  for (const { host, answers } of found) {
    const fresh = answers.map(([family, answer]) => stateOf(host, family, answer))
    const isWhole = fresh.every(({ error }) => error === null)
    const addresses = isWhole ? undefined : (before ??= known()).get(host)
    const all = addresses
      ? answers.map(([family, answer]) => stateOf(host, family, answer, addresses))
      : fresh
    states.push(...all)
    const stays = all.find((state) => state.error !== null && state.addresses.length > 0)
    if (stays) kept.set(host, stays.error ?? '')
    else if (all.every((state) => state.addresses.length === 0)) {
      failures.set(host, explain(answers.map(([, answer]) => answer)))
    }
  }
  return { addresses: hostAddresses(states), failures, kept }
}

function stateOf(host: string, family: Family, answer: Answer, known?: readonly string[]): NameState {
  return answered(createName({ host, family }, 0, known), answer, 0, { refreshSec: 1, random: 0 })
}
