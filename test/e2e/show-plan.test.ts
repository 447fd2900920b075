import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toCanonicalYaml } from '../../src/engine/config/canonical.ts'
import { loadConfig } from '../../src/engine/config/load.ts'
import type { Snapshot } from '../../src/engine/model/snapshot.ts'
import { startChild, type Child } from '../support/child.ts'
import { dnsmasq, type DnsServer } from '../support/dns-servers.ts'
import { root, type Outcome } from '../support/lab/run.ts'
import { snapshotOn } from '../unit/config/arbitrary.ts'
import type { Request } from './programs/commands.ts'
import { said, sayable } from './support/language.ts'
import { useLab, type Plan } from './support/lb.ts'
import { namedRoutes, namedTargets, RECORDS } from './support/named.ts'

/** What lb shows of any configuration is that configuration: a plan for it finds nothing to do. */

const SEED = Number(process.env['LB_TEST_SEED'] ?? Date.now() % 2 ** 31)

const lab = useLab({ ipv6: true })

/** Some have names that YAML, JavaScript or the file system could take for something else. */
const INTERFACES = ['front0', 'null', '1', '~', '#', '{', '"', '-', '*a', 'eth0.100', '__proto__', 'br-lan']

let dns: DnsServer
const env = () => ({ LB_DNS_SERVERS: dns.address })
let child: Child<Request, Outcome>
beforeAll(async () => {
  const { lb } = lab()
  const made = INTERFACES.filter((name) => name !== 'front0')
  const script = [
    ...made.map((name, i) => `ip link add '${name}' type veth peer name peer${i}`),
    ...made.map((name) => `ip link set '${name}' up`),
    // Some targets are reached through interfaces that others listen on.
    `ip route add 10.128.0.0/9 dev 'null'`,
    `ip -6 route add fd80::/9 dev '#'`,
  ]
  await lb.exec(['sh', '-e'], { input: script.join('\n') })
  dns = await dnsmasq(RECORDS, { namespace: lb.namespace })
  child = startChild(lb.namespace, 'test/e2e/programs/commands.ts')
})
afterAll(async () => {
  await child.close()
  await dns[Symbol.asyncDispose]()
})

/** As someone would write it who spells everything out; not as lb shows it, which is what is tested. */
function written({ proxies, interfaces, settings }: Snapshot, dice: () => number): object {
  const config = {
    version: 1,
    proxies: proxies.map(({ sourceRoutes, defaultTarget, endRemovedAfterSec, ...proxy }) => ({
      ...proxy,
      ...(endRemovedAfterSec === 0 && { onRemove: 'reset' }),
      ...(endRemovedAfterSec && { onRemove: 'keep', onRemoveDeadlineSec: endRemovedAfterSec }),
      defaultTarget: namedTargets(defaultTarget, dice),
      sourceRoutes: namedRoutes(sourceRoutes, dice).map(({ source, targets }) => {
        const [target, ...more] = namedTargets(targets, dice)
        return more.length === 0 ? { source, target } : { source, targets: [target, ...more] }
      }),
    })),
    interfaces: Object.fromEntries(interfaces.map(({ name, ...rest }) => [name, rest])),
    // Tables for millions of connections would take all memory.
    settings: { ...settings, maxConnections: 1 + (settings.maxConnections % 20_000) },
  }
  return JSON.parse(JSON.stringify(config, (_, value: unknown) => plain(value))) as object
}

/** What has no value is not written, and a health check has all of its keys in one place. */
function plain(value: unknown): unknown {
  if (value === null) return undefined
  if (typeof value !== 'object' || !('http' in value) || !('tls' in value)) return value
  const { http, tls, ...check } = value
  return { ...check, ...(http as object | null), ...(tls as object | null) }
}

const configurations: fc.Arbitrary<object> = fc
  .tuple(snapshotOn(fc.constantFrom(...INTERFACES)), fc.array(fc.nat(), { minLength: 50, maxLength: 50 }))
  .map(([snapshot, numbers]) => {
    let next = 0
    return written(snapshot, () => numbers[next++ % numbers.length]!)
  })

/** How lb shows what is configured. */
function canonical(config: object): string {
  const loaded = loadConfig([{ file: 'given.json', text: JSON.stringify(config), format: 'json' }])
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return toCanonicalYaml(loaded.snapshot)
}

/** Runs a command in the process that stays; it has to succeed. */
async function command(name: string, ...args: string[]): Promise<string> {
  const argv = [...args, '--instance', lab().instance]
  const { code, stdout, stderr } = await child.ask({ command: name, args: argv, env: env() })
  if (code !== 0) throw new Error(`lb ${name}: exit status ${code}\n${stdout}${stderr}`)
  return stdout
}

const SCHEMA = JSON.parse(readFileSync(join(root, 'schema/lb.schema.json'), 'utf8')) as Record<
  string,
  unknown
>
/** Nothing that the kernel would have to keep. */
const NOT_SHOWN = ['$schema', 'version']

test(`for random configurations, seed ${SEED}`, { timeout: 600_000 }, async () => {
  const unsaid = new Set([...sayable(SCHEMA)].filter((word) => !NOT_SHOWN.includes(word)))
  const property = fc.asyncProperty(configurations, async (config) => {
    for (const word of said(SCHEMA, config)) unsaid.delete(word)
    const file = lab().write('given.json', config)
    await command('apply', '-c', file, '--yes', '--force')
    const shown = await command('show')
    // Without this, what was lost on the way into the kernel would be missed by nobody.
    expect(shown).toBe(canonical(config))
    for (const path of [lab().write('shown.yaml', shown), file]) {
      const { changes, drift } = JSON.parse(await command('plan', '-c', path, '--json')) as Plan
      expect({ changes, drift }).toEqual({ changes: [], drift: [] })
    }
  })
  await fc.assert(property, { seed: SEED, numRuns: 100 })
  expect([...unsaid], 'what no random configuration had: see test/unit/config/arbitrary.ts').toEqual([])
})

test(`through the pipe, seed ${SEED}`, { timeout: 600_000 }, async () => {
  const [show, plan] = [['show'], ['plan', '-c', '-', '--detailed-exitcode']].map((args) =>
    lab().lbCommand(args).join(' '),
  )
  for (const config of fc.sample(configurations, { seed: SEED, numRuns: 24 })) {
    lab().write('lb.json', config)
    await lab().lbMust(['apply', '-c', 'lb.json', '--yes', '--force'], { env: env() })
    const { code, stdout, stderr } = await lab().lb.run(
      ['bash', '-o', 'pipefail', '-c', `${show} | ${plan}`],
      {
        env: env(),
      },
    )
    expect(code, `${JSON.stringify(config)}\n${stdout}${stderr}`).toBe(0)
    expect(stdout).toMatch(/^No changes\./)
  }
})
