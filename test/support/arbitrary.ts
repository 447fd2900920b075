/** Random deployments: all that a configuration and a host can make, in canonical order. */
import fc from 'fast-check'
import { formatIp, formatPrefix, isMapped } from '../../src/engine/model/ip.ts'
import { compareNames, compareRoutes, compareTargets, compareText } from '../../src/engine/model/order.ts'
import { DEFAULT_HEALTH_CHECK } from '../../src/engine/model/policy.ts'
import type { HealthCheck } from '../../src/engine/model/policy.ts'
import type {
  Attach,
  Attachment,
  AttachMode,
  Deployment,
  Family,
  Proxy,
  Snapshot,
  SourceRoute,
  Target,
} from '../../src/engine/model/snapshot.ts'
import { daemonSettings, healthCheckOn, policiesOf } from './arbitrary-policies.ts'

const byte = fc.nat({ max: 255 })
const group = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 0xffff }), fc.nat({ max: 15 }))

export const ipv4Bytes = fc
  .array(byte, { minLength: 4, maxLength: 4 })
  .map((last) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...last))
export const ipv6Bytes = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 0xff])))
  .filter((bytes) => !isMapped(bytes))

const bytesOf = (family: Family): fc.Arbitrary<Uint8Array> => (family === 'ipv4' ? ipv4Bytes : ipv6Bytes)

/** Often one of a few, so that backends and lists are shared. */
const ipOf = (family: Family): fc.Arbitrary<string> =>
  fc.oneof(
    family === 'ipv4' ? fc.constantFrom('10.0.0.1', '10.0.0.2') : fc.constantFrom('fd00::1', 'fd00::2'),
    bytesOf(family).map((bytes) => formatIp(bytes)),
  )

export const prefixOf = (family: Family): fc.Arbitrary<string> =>
  fc
    .tuple(bytesOf(family), fc.nat({ max: family === 'ipv4' ? 32 : 128 }))
    .map(([bytes, length]) => formatPrefix({ bytes, length, family }))

const port = fc.oneof(fc.constantFrom(80, 443, 8080), fc.integer({ min: 1, max: 65535 }))

/** Positive whole numbers that sum to 100. */
export const weightsOf = (count: number): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: count - 1, maxLength: count - 1 })
    .map((cuts) => [0, ...cuts.sort((a, b) => a - b), 100])
    .map((cuts) => cuts.slice(1).map((cut, i) => cut - cuts[i]!))

/** Without health checks, drains and names. */
export const targetsOf = (family: Family): fc.Arbitrary<Target[]> =>
  fc
    .uniqueArray(fc.record({ ip: ipOf(family), port }), {
      minLength: 1,
      maxLength: 6,
      selector: (target) => `${target.ip} ${target.port}`,
    })
    .chain((targets) =>
      fc
        .option(weightsOf(targets.length))
        .map((weights) => targets.map((target, i) => ({ ...target, weight: weights?.[i] ?? null }))),
    )
    .map((targets) => targets.sort(compareTargets))

/** What a target is, in whichever list of the proxy, with what a configuration may say about it. */
export const withPolicies = (proxy: Proxy, base: HealthCheck = DEFAULT_HEALTH_CHECK): fc.Arbitrary<Proxy> => {
  const lists = [proxy.defaultTarget, ...proxy.sourceRoutes.map(({ targets }) => targets)]
  const names = [...new Set(lists.flat().map(nameOf))]
  const endRemovedAfterSec = fc.option(fc.constantFrom(0, 1, 60, 86_400), { nil: undefined })
  return fc
    .tuple(endRemovedAfterSec, ...names.map(() => policiesOf(healthCheckOn(base))))
    .map(([ends, ...policies]) => {
      const byName = new Map(names.map((name, i) => [name, policies[i]]))
      const add = (targets: readonly Target[]): Target[] =>
        targets.map((target) => ({ ...target, ...byName.get(nameOf(target)) }))
      return {
        ...proxy,
        defaultTarget: add(proxy.defaultTarget),
        sourceRoutes: proxy.sourceRoutes.map((route) => ({ ...route, targets: add(route.targets) })),
        ...(ends !== undefined && { endRemovedAfterSec: ends }),
      }
    })
}

const nameOf = ({ ip, port }: Target): string => `${ip} ${port}`

const sourceRoutesOf = (family: Family): fc.Arbitrary<SourceRoute[]> =>
  fc
    .uniqueArray(fc.record({ source: prefixOf(family), targets: targetsOf(family) }), {
      maxLength: 4,
      selector: ({ source }) => source,
    })
    .map((routes) => routes.sort(compareRoutes))

/** As the schema has them, and any text that fits, as damaged maps may hold. */
export const proxyName = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/) },
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 15 })
    .filter((name) => !name.includes('\0') && Buffer.byteLength(name) < 64),
)

export const interfaceName = fc
  .stringMatching(/^[!-.0-9;-~]{1,15}$/)
  .filter((name) => !/^\.{1,2}$/.test(name))

const proxyOf = (interfaces: readonly string[]): fc.Arbitrary<Proxy> =>
  fc.constantFrom<Family>('ipv4', 'ipv6').chain((family) =>
    fc
      .record({
        name: proxyName,
        listen: fc.record({
          interfaces: fc.subarray([...interfaces], { minLength: 1 }).map((names) => names.sort(compareText)),
          address: fc.option(ipOf(family).filter((ip) => ip !== '0.0.0.0' && ip !== '::')),
          port,
          protocol: fc.constantFrom('tcp', 'udp'),
        }),
        forwarding: fc.constant('nat'),
        defaultTarget: targetsOf(family),
        sourceRoutes: sourceRoutesOf(family),
      })
      .chain((proxy) =>
        // A route with the list of the default target has its group.
        fc.boolean().map((same) => ({
          ...proxy,
          sourceRoutes: proxy.sourceRoutes.map((route, i) =>
            same && i === 0 ? { ...route, targets: proxy.defaultTarget } : route,
          ),
        })),
      )
      .chain((proxy) => fc.oneof({ weight: 2, arbitrary: fc.constant(proxy) }, withPolicies(proxy))),
  )

const familyOfProxy = ({ defaultTarget }: Proxy): Family =>
  defaultTarget[0]?.ip.includes(':') ? 'ipv6' : 'ipv4'

const seconds = fc.integer({ min: 1, max: 86_400 })

/** Snapshots on a host with these interfaces. */
export const snapshotOn = (
  interfaces: readonly string[],
  attach: fc.Arbitrary<Attach> = fc.constantFrom('auto', 'xdp', 'xdp-generic', 'tcx', 'none'),
): fc.Arbitrary<Snapshot> =>
  fc.record({
    proxies: fc
      .uniqueArray(proxyOf(interfaces), {
        maxLength: 5,
        comparator: (a, b) =>
          a.name === b.name ||
          (a.listen.port === b.listen.port &&
            a.listen.protocol === b.listen.protocol &&
            (a.listen.address ?? familyOfProxy(a)) === (b.listen.address ?? familyOfProxy(b))),
      })
      .map((proxies) => proxies.sort(compareNames)),
    interfaces: fc
      .tuple(fc.subarray([...interfaces]), fc.array(attach, { minLength: interfaces.length }))
      .map(([names, ways]) =>
        names.map((name, i) => ({ name, attach: ways[i] ?? 'auto' })).sort(compareNames),
      ),
    settings: fc
      .record({
        connectionTimeoutSec: seconds,
        synTimeoutSec: seconds,
        finTimeoutSec: seconds,
        timeWaitTimeoutSec: seconds,
        resetTimeoutSec: seconds,
        udpTimeoutSec: seconds,
        udpStreamTimeoutSec: seconds,
        maxConnections: fc.integer({ min: 1, max: 4_194_304 }),
      })
      .chain((settings) => daemonSettings.map((more) => ({ ...settings, ...more }))),
  })

/** Deployments with attachments as any host might have them. */
export const deployment: fc.Arbitrary<Deployment> = fc
  .uniqueArray(interfaceName, { minLength: 1, maxLength: 4 })
  .chain((names) =>
    fc.record({
      snapshot: snapshotOn(names),
      hosts: fc.tuple(...names.map((name) => hostInterface(name))),
      ifindexes: fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 31 - 1 }), {
        minLength: names.length,
        maxLength: names.length,
      }),
    }),
  )
  .map(({ snapshot, hosts, ifindexes }) => ({
    snapshot,
    attachments: hosts
      .map((item, i) => attachmentOf(snapshot, item, ifindexes[i]!))
      .filter(({ roles }) => roles.length > 0)
      .sort(compareNames),
  }))

interface HostInterface {
  readonly name: string
  readonly mode: AttachMode
  readonly xdpXmit: boolean
  readonly backend: boolean
}

const hostInterface = (name: string): fc.Arbitrary<HostInterface> =>
  fc.record({
    name: fc.constant(name),
    mode: fc.constantFrom<AttachMode>('xdp', 'tcx'),
    xdpXmit: fc.boolean(),
    backend: fc.boolean(),
  })

function attachmentOf(snapshot: Snapshot, host: HostInterface, ifindex: number): Attachment {
  const { name, mode, xdpXmit, backend } = host
  const setting = snapshot.interfaces.find((item) => item.name === name)
  const listens = snapshot.proxies.some(({ listen }) => listen.interfaces.includes(name))
  const attach = setting?.attach ?? 'auto'
  return {
    name,
    ifindex,
    attach,
    mode: attach === 'auto' ? mode : attach,
    roles: [
      ...(listens ? (['listen'] as const) : []),
      ...(backend ? (['backend'] as const) : []),
      ...(setting ? (['configured'] as const) : []),
    ],
    xdpXmit,
  }
}
