import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createResolver, type ResolverOptions } from '../../src/daemon/resolver.ts'
import type { Answer } from '../../src/engine/model/resolution.ts'
import type { Family } from '../../src/engine/model/snapshot.ts'
import { dnsmasq, dnsServer, type DnsServer } from '../support/dns-servers.ts'
import { withoutLeaks } from '../support/probing.ts'

const folder = mkdtempSync(join(tmpdir(), 'lb-resolver-'))
const hostsFile = join(folder, 'hosts')
const resolvConf = join(folder, 'resolv.conf')
let server: DnsServer

const RECORDS = [
  '--host-record=web.test,10.0.0.1,fd00::1,300',
  '--host-record=web.test,10.0.0.2,300',
  '--host-record=v4.test,10.0.0.4,300',
  '--host-record=short.inner.test,10.0.0.5,300',
  '--host-record=brief.test,10.0.0.6,1',
  '--cname=alias.test,web.test,20',
]

beforeAll(async () => {
  writeFileSync(hostsFile, '10.1.1.1 Printer.lan printer # the old one\nfd00::9 six\n10.1.1.2\tprinter\n')
  writeFileSync(resolvConf, 'search other.test inner.test\n')
  server = await dnsmasq(RECORDS)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

function resolve(host: string, family: Family = 'ipv4', options: ResolverOptions = {}): Promise<Answer> {
  return createResolver({ servers: [server.address], hostsFile, resolvConf, ...options }).resolve({
    host,
    family,
  })
}

/** `10.0.0.1 10.0.0.2 ttl 300`, or what failed. */
function said(answer: Answer): string {
  if (!answer.ok) return `${answer.failure}: ${answer.error}`
  return `${[...answer.addresses].sort().join(' ')}${answer.ttlSec === null ? '' : ` ttl ${answer.ttlSec}`}`
}

describe('dnsmasq', () => {
  const cases: readonly [string, Family, string][] = [
    ['web.test', 'ipv4', '10.0.0.1 10.0.0.2 ttl 300'],
    ['web.test', 'ipv6', 'fd00::1 ttl 300'],
    ['WEB.Test', 'ipv4', '10.0.0.1 10.0.0.2 ttl 300'],
    ['web.test.', 'ipv4', '10.0.0.1 10.0.0.2 ttl 300'],
    ['alias.test', 'ipv4', '10.0.0.1 10.0.0.2 ttl 20'],
    ['brief.test', 'ipv4', '10.0.0.6 ttl 1'],
    ['v4.test', 'ipv6', 'no-data: the name has no IPv6 address'],
    ['missing.test', 'ipv4', 'not-found: no such name'],
    ['elsewhere.example', 'ipv4', 'server: the DNS server answers REFUSED'],
    ['short', 'ipv4', '10.0.0.5 ttl 300'],
    ['short.', 'ipv4', 'server: the DNS server answers REFUSED'],
    ['printer', 'ipv4', '10.1.1.1 10.1.1.2'],
    ['PRINTER.LAN', 'ipv4', '10.1.1.1'],
    ['printer', 'ipv6', 'no-data: the name has no IPv6 address'],
    ['six', 'ipv6', 'fd00::9'],
    ['localhost', 'ipv4', '127.0.0.1'],
    ['localhost', 'ipv6', '::1'],
    ['db.localhost', 'ipv4', '127.0.0.1'],
  ]
  test.each(cases)('%s, %s: %s', async (host, family, expected) => {
    expect(said(await resolve(host, family))).toBe(expected)
  })

  test('a server that is gone, and one that comes back', () =>
    withoutLeaks(async () => {
      const first = await dnsmasq(RECORDS)
      const options = { servers: [first.address], hostsFile, resolvConf, timeoutMs: 2000 }
      const resolver = createResolver(options)
      const query = { host: 'web.test', family: 'ipv4' } as const
      expect((await resolver.resolve(query)).ok).toBe(true)
      await first[Symbol.asyncDispose]()
      const gone = await resolver.resolve(query)
      expect(said(gone)).toMatch(/^(server: no DNS server can be reached|timeout: .*)$/)
      await using _again = await dnsmasq(RECORDS, { port: first.port })
      expect(said(await resolver.resolve(query))).toBe('10.0.0.1 10.0.0.2 ttl 300')
    }))

  test('a second server answers where the first does not', async () => {
    await using silent = await dnsServer(() => undefined)
    const servers = [silent.address, server.address]
    expect(said(await resolve('web.test', 'ipv4', { servers }))).toBe('10.0.0.1 10.0.0.2 ttl 300')
  })

  test('changed files count at once', async () => {
    const own = join(folder, 'own-hosts')
    const resolver = createResolver({ servers: [server.address], hostsFile: own, resolvConf })
    const query = { host: 'web.test', family: 'ipv4' } as const
    expect(said(await resolver.resolve(query))).toBe('10.0.0.1 10.0.0.2 ttl 300')
    writeFileSync(own, '192.0.2.1 web.test\n')
    expect(said(await resolver.resolve(query))).toBe('192.0.2.1')
  })

  test('a thousand questions leave nothing open', () =>
    withoutLeaks(async () => {
      const resolver = createResolver({ servers: [server.address], hostsFile, resolvConf })
      for (let round = 0; round < 20; round++) {
        const questions = Array.from({ length: 50 }, () =>
          resolver.resolve({ host: 'web.test', family: 'ipv4' }),
        )
        for (const answer of await Promise.all(questions)) expect(answer.ok).toBe(true)
      }
    }))

  test('a server that is no address is refused', () => {
    expect(() => createResolver({ servers: ['dns.test'] })).toThrow('dns.test')
  })
})
