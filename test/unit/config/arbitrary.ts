/** Random canonical snapshots: what loading a configuration could give. */
import fc from 'fast-check'
import { formatIp, formatPrefix } from '../../../src/engine/model/ip.ts'
import { compareNames, compareRoutes, compareTargets, compareText } from '../../../src/engine/model/order.ts'
import type {
  Attach,
  Family,
  InterfaceSetting,
  Proxy,
  Snapshot,
  SourceRoute,
  Target,
} from '../../../src/engine/model/snapshot.ts'
import { withPolicies } from '../../support/arbitrary.ts'
import { daemonSettings } from '../../support/arbitrary-policies.ts'

const ALPHANUMERIC = ['A', 'B', 'Z', 'a', 'b', 'e', 'n', 'z', '0', '1', '9']
/** Names that YAML could take for something else are worth a look more often than chance gives one. */
const TRICKY = [
  '1',
  '0x1',
  '1e3',
  'null',
  'true',
  'No',
  'on',
  'y',
  '1.5',
  '0o7',
  'NaN',
  '2001-01-01',
  'a-b_c.d',
]

export const proxyName = fc.oneof(
  fc.constantFrom(...TRICKY),
  fc
    .tuple(
      fc.string({ unit: fc.constantFrom(...ALPHANUMERIC), minLength: 1, maxLength: 1 }),
      fc.string({ unit: fc.constantFrom(...ALPHANUMERIC, '.', '_', '-'), maxLength: 62 }),
    )
    .map(([first, rest]) => first + rest),
)

const interfaceName = fc.oneof(
  fc.constantFrom('eth0', 'br-lan', 'eth0.100', 'null', '1', '{', '#', '*a', '"', '__proto__', '~', '-'),
  fc
    .string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 15,
    })
    .filter((name) => !/[/:]/.test(name) && name !== '.' && name !== '..'),
)

/** A unicast address that can be a target. */
function address(family: Family): fc.Arbitrary<string> {
  const size = family === 'ipv4' ? 4 : 16
  return fc.uint8Array({ minLength: size, maxLength: size }).map((random) => {
    const bytes = new Uint8Array(16)
    if (family === 'ipv4') bytes.set([0xff, 0xff], 10)
    bytes.set(random, 16 - size)
    // 10.0.0.0/8 and fd00::/8: none of the kinds that are refused.
    bytes[16 - size] = family === 'ipv4' ? 10 : 0xfd
    return formatIp(bytes)
  })
}

const port = fc.integer({ min: 1, max: 65535 })

function weightsFor(count: number): fc.Arbitrary<readonly (number | null)[]> {
  const none = fc.constant(Array.from({ length: count }, () => null))
  // A lone target has no use for a weight.
  if (count === 1) return none
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: count - 1, maxLength: count - 1 })
  const all = cuts.map((points) => {
    const edges = [0, ...points.toSorted((a, b) => a - b), 100]
    return edges.slice(1).map((edge, i) => edge - edges[i]!)
  })
  return fc.oneof(none, all)
}

function targets(family: Family): fc.Arbitrary<Target[]> {
  return fc
    .uniqueArray(fc.record({ ip: address(family), port }), {
      minLength: 1,
      maxLength: 6,
      selector: ({ ip, port: number }) => `${ip} ${number}`,
    })
    .chain((list) =>
      weightsFor(list.length).map((weights) =>
        list.map((target, i) => ({ ...target, weight: weights[i] ?? null })).sort(compareTargets),
      ),
    )
}

function sourceRoutes(family: Family): fc.Arbitrary<SourceRoute[]> {
  const size = family === 'ipv4' ? 4 : 16
  const source = fc
    .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.integer({ min: 0, max: 8 * size }))
    .map(([random, length]) => {
      const bytes = new Uint8Array(16)
      if (family === 'ipv4') bytes.set([0xff, 0xff], 10)
      bytes.set(random.subarray(16 - size), 16 - size)
      return formatPrefix({ bytes, length, family })
    })
    // An IPv6 prefix that happens to be mapped IPv4 is no canonical one.
    .filter((text) => (family === 'ipv6') === text.includes(':') && !text.startsWith('::ffff:'))
  return fc
    .uniqueArray(fc.record({ source, targets: targets(family) }), {
      maxLength: 4,
      selector: (route) => route.source,
    })
    .map((routes) => routes.sort(compareRoutes))
}

function proxy(name: string, interfaceNames: fc.Arbitrary<string>): fc.Arbitrary<Proxy> {
  return fc.constantFrom<Family>('ipv4', 'ipv6').chain((family) =>
    fc.record({
      name: fc.constant(name),
      listen: fc.record({
        interfaces: fc
          .uniqueArray(interfaceNames, { minLength: 1, maxLength: 3 })
          .map((names) => names.sort(compareText)),
        address: fc.option(address(family)),
        port,
        protocol: fc.constantFrom('tcp', 'udp'),
      }),
      forwarding: fc.constant('nat'),
      defaultTarget: targets(family),
      sourceRoutes: sourceRoutes(family),
    }),
  )
}

/** What the kernel looks packets up by: no two proxies may share one. */
function listenerKeys({ listen, defaultTarget }: Proxy): string[] {
  const family = defaultTarget[0]?.ip.includes(':') === true ? 'ipv6' : 'ipv4'
  const { interfaces, address: ip, port: number, protocol } = listen
  return interfaces.map((name) => `${name} ${ip ?? family} ${number} ${protocol}`)
}

function withoutConflicts(proxies: readonly Proxy[]): Proxy[] {
  const taken = new Set<string>()
  return proxies.filter((one) => {
    const keys = listenerKeys(one)
    const targetsItself = one.defaultTarget
      .concat(...one.sourceRoutes.map((route) => route.targets))
      .some(({ ip, port: number }) => ip === one.listen.address && number === one.listen.port)
    if (targetsItself || keys.some((key) => taken.has(key))) return false
    for (const key of keys) taken.add(key)
    return true
  })
}

const seconds = fc.integer({ min: 1, max: 86_400 })

/** Of hosts with interfaces that have these names. */
export const snapshotOn = (interfaceNames: fc.Arbitrary<string>): fc.Arbitrary<Snapshot> =>
  fc
    .record({
      proxies: fc
        .uniqueArray(proxyName, { maxLength: 5 })
        .chain((names) => fc.tuple(...names.map((name) => proxy(name, interfaceNames))))
        .map((proxies) => withoutConflicts(proxies).sort(compareNames)),
      interfaces: fc
        .uniqueArray(
          fc.record({
            name: interfaceNames,
            attach: fc.constantFrom<Attach>('auto', 'xdp', 'xdp-generic', 'tcx', 'none'),
          }),
          { maxLength: 4, selector: ({ name }) => name },
        )
        .map((list: InterfaceSetting[]) => list.sort(compareNames)),
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
    .map(({ proxies, interfaces, settings }) => {
      const listening = new Set(proxies.flatMap(({ listen }) => listen.interfaces))
      return {
        proxies,
        settings,
        interfaces: interfaces.filter(({ name, attach }) => attach !== 'none' || !listening.has(name)),
      }
    })
    .chain((plain) => {
      const { healthCheckDefaults } = plain.settings
      const proxies = plain.proxies.map((one) =>
        fc.oneof(fc.constant(one), withPolicies(one, healthCheckDefaults)),
      )
      return fc.tuple(...proxies).map((list) => ({ ...plain, proxies: list }))
    })

export const snapshot: fc.Arbitrary<Snapshot> = snapshotOn(interfaceName)
