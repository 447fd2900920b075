/** Ways to the targets. */
import type { Finding } from '../model/finding.ts'
import type { TargetFacts } from './facts.ts'
import { failure, ok, warning } from './findings.ts'

const NAMED = 5

export function checkTargets(targets: readonly TargetFacts[]): Finding[] {
  if (targets.length === 0) return []
  const unreachable = targets.flatMap(checkRoute)
  const reachable = targets.length - unreachable.length
  return [
    ...(reachable > 0 ? [ok('routes', `${count(reachable)} a route`)] : []),
    ...unreachable,
    ...checkNeighbours(targets.filter(({ route }) => route?.type === 'unicast')),
  ]
}

function checkRoute({ ip, route }: TargetFacts): Finding[] {
  const id = `route:${ip}`
  if (!route) {
    const detail = 'Connections that are given to it fail.'
    return [failure(id, `there is no route to ${ip}`, detail)]
  }
  if (route.type === 'unicast' || route.type === 'local') return []
  const detail = 'Packets to it are dropped or refused by the routing table of this host.'
  return [failure(id, `the route to ${ip} is of type ${route.type}`, detail)]
}

function checkNeighbours(targets: readonly TargetFacts[]): Finding[] {
  const failed = targets.filter(({ neighbour }) => neighbour === 'failed')
  const unknown = targets.filter(({ neighbour }) => neighbour === undefined)
  const findings = failed.map(({ ip, route }) =>
    warning(
      `neighbour:${ip}`,
      `the next hop to ${ip} does not answer`,
      `The kernel asked for the link-layer address of ${route?.gateway ?? ip} in vain: is that host up, and on this network?`,
    ),
  )
  if (unknown.length === 0) return findings
  const names = unknown.slice(0, NAMED).map(({ ip }) => ip)
  const more = unknown.length > NAMED ? ` and ${unknown.length - NAMED} more` : ''
  const detail = `${names.join(', ')}${more}: the first packet goes through the kernel, which asks for it.`
  return [...findings, ok('neighbours', 'the next hop of some targets is not known yet', detail)]
}

function count(targets: number): string {
  return targets === 1 ? 'the target has' : `${targets} targets have`
}
