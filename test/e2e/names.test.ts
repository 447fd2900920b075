import { afterAll, beforeAll, expect, test } from 'vitest'
import { dnsmasq, type DnsServer } from '../support/dns-servers.ts'
import { httpPort, vip } from '../support/netns.ts'
import { ask, raw, useLab, type Plan } from './support/lb.ts'

const lab = useLab({})
let dns: DnsServer
let port = 0

/** In the load balancer's own network, where `lb` asks it. */
async function serve(records: readonly string[]): Promise<void> {
  dns = await dnsmasq(records, { namespace: lab().lb.namespace, ...(port !== 0 && { port }) })
  port = dns.port
}

const RECORDS = [
  '--host-record=two.test,10.0.0.11',
  '--host-record=two.test,10.0.0.12',
  '--host-record=client.test,198.51.100.2',
]

beforeAll(() => serve(RECORDS))
afterAll(() => dns[Symbol.asyncDispose]())

const env = () => ({ LB_DNS_SERVERS: dns.address })
const target = { host: 'two.test', port: httpPort, weight: 60 }
const other = { ip: '10.0.0.13', port: httpPort, weight: 40 }

function write(defaultTarget: readonly object[], more: object = {}): void {
  const listen = { interfaces: ['front0'], address: vip.ipv4, port: 80 }
  lab().write('lb.yaml', { version: 1, proxies: [{ name: 'web', listen, defaultTarget, ...more }] })
}

test('plan and apply show the addresses that a name has, and connections go there', async () => {
  write([target, other])
  const { code, stdout, stderr } = await lab().lbCli(['plan'], { env: env() })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('10.0.0.11:8080')
  expect(stdout).toContain('10.0.0.12:8080')
  expect(stdout).toContain('two.test')
  await lab().lbMust(['apply', '--yes'], { env: env() })
  const asked = new Set<string>()
  for (let i = 0; i < 60; i++) asked.add(await ask(lab()))
  expect([...asked].sort()).toEqual(['b1', 'b2', 'b3'])
  expect((await lab().lbCli(['plan', '--detailed-exitcode'], { env: env() })).code).toBe(0)
})

test('the name of a client is a source', async () => {
  write([other, { ...target, host: 'two.test' }], {
    sourceRoutes: [{ source: 'client.test', target: { ip: '10.0.0.11', port: httpPort } }],
  })
  await lab().lbMust(['apply', '--yes'], { env: env() })
  for (let i = 0; i < 10; i++) expect(await ask(lab())).toBe('b1')
})

test('a name that nobody knows is an error that names it, at the first apply', async () => {
  write([{ ...target, host: 'missing.test' }, other])
  for (const command of [['plan'], ['apply', '--yes']]) {
    const { code, stdout, stderr } = await lab().lbCli(command, { env: env() })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('`missing.test` could not be resolved: no such name')
    expect(stderr).toContain('lb.yaml')
    expect(stderr).toContain('--allow-unresolved')
  }
  const allowed = await lab().lbCli(['apply', '--yes', '--allow-unresolved'], { env: env() })
  expect({ code: allowed.code, stderr: allowed.stderr }).toMatchObject({ code: 0 })
  expect(allowed.stderr).toContain('Warning: `missing.test` could not be resolved')
  expect(Object.keys((await raw(lab())).backends)).toHaveLength(1)
  expect(await ask(lab())).toBe('b3')
})

test('validate asks nobody', async () => {
  write([{ ...target, host: 'missing.test' }, other])
  const { code, stderr } = await lab().lbCli(['validate'], { env: { LB_DNS_SERVERS: 'no address' } })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('servers that are no addresses are wrong usage', async () => {
  write([target, other])
  const { code, stderr } = await lab().lbCli(['plan'], { env: { LB_DNS_SERVERS: 'dns.test' } })
  expect(code).toBe(3)
  expect(stderr).toContain('LB_DNS_SERVERS is no list of DNS servers: dns.test')
})

test('once applied, addresses stay where DNS has no answer: other changes are not held up', async () => {
  write([target, other])
  await lab().lbMust(['apply', '--yes'], { env: env() })
  await dns[Symbol.asyncDispose]()
  try {
    write([{ ...target, weight: 20 }, { ...other, weight: 80 }]) // prettier-ignore
    for (const flags of [[], ['--allow-unresolved']]) {
      const { code, stdout, stderr } = await lab().lbCli(['plan', '--json', ...flags], { env: env() })
      expect(code).toBe(0)
      expect(stderr).toMatch(
        /^Warning: `two\.test` could not be resolved: .* \(The addresses that are applied stay\.\)$/m,
      )
      const { changes } = JSON.parse(stdout) as Plan
      expect(changes.map(({ action, address }) => `${action} ${address}`)).toEqual([
        'update proxy.web.target["10.0.0.11:8080"]',
        'update proxy.web.target["10.0.0.12:8080"]',
        'update proxy.web.target["10.0.0.13:8080"]',
      ])
    }
    await lab().lbMust(['apply', '--yes'], { env: env() })
    expect(Object.keys((await raw(lab())).backends)).toHaveLength(3)
  } finally {
    await serve(RECORDS)
  }
  expect((await lab().lbCli(['plan', '--detailed-exitcode'], { env: env() })).code).toBe(0)
})

test('a saved plan has its addresses', async () => {
  write([target, other])
  await lab().lbMust(['plan', '-o', 'a.plan'], { env: env() })
  await lab().lbMust(['apply', 'a.plan', '--yes'], { env: { LB_DNS_SERVERS: 'nobody asks' } })
  expect(Object.keys((await raw(lab())).backends)).toHaveLength(3)
})
