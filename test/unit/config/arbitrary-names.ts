/** Random configurations with names in them, and what the names stand for. */
import fc from 'fast-check'
import type { HostAddresses } from '../../../src/engine/model/resolution.ts'
import {
  compareUnresolvedRoutes,
  compareUnresolvedTargets,
  type UnresolvedProxy,
  type UnresolvedRoute,
  type UnresolvedSnapshot,
  type UnresolvedTarget,
} from '../../../src/engine/model/unresolved.ts'
import { snapshot } from './arbitrary.ts'

const HOSTS = ['a.example', 'b', 'c.example.', 'd-1.example', '_e.example'] as const

/** From so few that names share some. */
const ipv4 = fc.integer({ min: 1, max: 300 }).map((n) => `10.0.${n >> 8}.${n & 255}`)
const ipv6 = fc.integer({ min: 1, max: 300 }).map((n) => `fd00::${n.toString(16)}`)
const several = (ip: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.array(ip, { minLength: 1, maxLength: 6 }) },
    fc.array(ip, { minLength: 1, maxLength: 200, size: 'max' }),
  )

/** Every name has addresses of both families. */
const answers: fc.Arbitrary<HostAddresses> = fc
  .tuple(...HOSTS.map(() => fc.tuple(several(ipv4), several(ipv6)).map((lists) => lists.flat())))
  .map((lists) => new Map(lists.map((list, i) => [HOSTS[i] ?? '', list])))

interface Choices {
  readonly replace: fc.Arbitrary<boolean>
  readonly host: fc.Arbitrary<(typeof HOSTS)[number]>
}
const choices: Choices = { replace: fc.boolean(), host: fc.constantFrom(...HOSTS) }

/** Some of the targets become names; what is said of a name is the same wherever it stands. */
function namedTargets(targets: readonly UnresolvedTarget[]): fc.Arbitrary<UnresolvedTarget[]> {
  return fc.tuple(...targets.map(() => fc.tuple(choices.replace, choices.host))).map((picks) => {
    const used = new Set<string>()
    return targets
      .map((target, i): UnresolvedTarget => {
        const [replace, host] = picks[i] ?? [false, 'b']
        const { port, weight } = target
        if (!replace || used.has(`${host} ${port}`)) return target
        used.add(`${host} ${port}`)
        const policies = host === 'b' ? { drain: true as const } : {}
        return { host, port, weight, dnsRefreshSeconds: 1 + 29 * (host.length % 2), ...policies }
      })
      .sort(compareUnresolvedTargets)
  })
}

function namedRoutes(routes: readonly UnresolvedRoute[]): fc.Arbitrary<UnresolvedRoute[]> {
  const named = routes.map((route) =>
    fc.tuple(namedTargets(route.targets), choices.replace, choices.host).map(([targets, replace, host]) => ({
      ...route,
      targets,
      host: replace ? host : undefined,
    })),
  )
  return fc.tuple(...named).map((list) => {
    const used = new Set<string>()
    return list
      .map(({ host, ...route }): UnresolvedRoute => {
        if (host === undefined || used.has(host)) return route
        used.add(host)
        return { sourceHost: host, targets: route.targets }
      })
      .sort(compareUnresolvedRoutes)
  })
}

function namedProxy(proxy: UnresolvedProxy): fc.Arbitrary<UnresolvedProxy> {
  return fc
    .tuple(namedTargets(proxy.defaultTarget), namedRoutes(proxy.sourceRoutes))
    .map(([defaultTarget, sourceRoutes]) => ({ ...proxy, defaultTarget, sourceRoutes }))
}

export interface Named {
  readonly unresolved: UnresolvedSnapshot
  readonly answers: HostAddresses
}

export const named: fc.Arbitrary<Named> = snapshot.chain((plain) =>
  fc
    .tuple(fc.tuple(...plain.proxies.map(namedProxy)), answers)
    .map(([proxies, found]) => ({ unresolved: { ...plain, proxies }, answers: found })),
)
