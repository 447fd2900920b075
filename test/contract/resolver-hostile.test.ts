import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Answer as DnsRecord } from 'dns-packet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createResolver } from '../../src/daemon/resolver.ts'
import { answered, createName } from '../../src/engine/dns/name.ts'
import type { Answer } from '../../src/engine/model/resolution.ts'
import { dnsServer, type Asked, type DnsServer, type Reply } from '../support/dns-servers.ts'
import { withoutLeaks } from '../support/probing.ts'

function a(name: string, data: string, ttl = 60): DnsRecord {
  return { type: 'A', name, data, ttl }
}

function aaaa(name: string, data: string): DnsRecord {
  return { type: 'AAAA', name, data, ttl: 60 }
}

function many(name: string, count: number): DnsRecord[] {
  return Array.from({ length: count }, (_, i) => a(name, `10.0.${i >> 8}.${i & 255}`))
}

/** The codes of RFC 1035, section 4.1.1: dns-packet takes them as part of the flags. */
const code = (rcode: number): Reply => ({ flags: rcode })

function lie({ name, transport, query }: Asked): Reply {
  switch (name) {
    case 'other-family.test':
      return { answers: [aaaa(name, 'fd00::1')] }
    case 'web.second.test':
    case 'both-families.test':
      return { answers: [aaaa(name, 'fd00::1'), a(name, '10.0.0.1')] }
    case 'two-hundred.test':
      return { answers: many(name, 200) }
    case 'three-hundred.test':
      return transport === 'udp' ? { flags: 0x0200, answers: [] } : { answers: many(name, 300) }
    case 'zero-ttl.test':
      return { answers: [a(name, '10.0.0.1', 0)] }
    case 'huge-ttl.test':
      return { answers: [a(name, '10.0.0.1', 2 ** 31 - 1)] }
    case 'twice.test':
      return { answers: [a(name, '10.0.0.1'), a(name, '10.0.0.1'), a(name, '10.0.0.2')] }
    case 'unusable.test':
      return { answers: ['0.0.0.0', '224.0.0.1', '255.255.255.255', '169.254.1.1'].map((ip) => a(name, ip)) }
    case 'empty.test':
      return { answers: [] }
    case 'no-such-name.test':
    case 'web.no-such-name.test':
      return code(3)
    case 'server-failure.test':
    case 'web.first.test':
      return code(2)
    case 'format-error.test':
      return code(1)
    case 'other-id.test':
      return { id: ((query.id ?? 0) + 1) & 0xffff, answers: [a(name, '10.6.6.6')] }
    case 'noise.test':
      return Buffer.concat([Buffer.from([(query.id ?? 0) >> 8, (query.id ?? 0) & 255, 0x81, 0x80]), Buffer.alloc(40, 0xff)]) // prettier-ignore
    case 'circle.test':
      return { answers: [{ type: 'CNAME', name, data: name, ttl: 60 }] }
    default:
      return undefined
  }
}

let server: DnsServer
beforeAll(async () => {
  server = await dnsServer(lie)
})
afterAll(() => server[Symbol.asyncDispose]())

function ask(host: string): Promise<Answer> {
  const options = { servers: [server.address], hostsFile: '/nonexistent', resolvConf: '/nonexistent' }
  return createResolver({ ...options, timeoutMs: 700 }).resolve({ host, family: 'ipv4' })
}

/** What the daemon would make of it: how many addresses, until when, or what is wrong. */
async function told(host: string): Promise<string> {
  const refresh = { refreshSec: 30, random: 0 }
  const known = createName({ host, family: 'ipv4' }, 0, ['10.0.0.99'])
  const { addresses, nextAt, error } = answered(known, await ask(host), 0, refresh)
  const shown = addresses.length > 3 ? `${addresses.length} addresses` : addresses.join(' ')
  return `${shown} until ${nextAt / 1000}${error === null ? '' : `, ${error}`}`
}

test.each([
  ['other-family.test', '10.0.0.99 until 1, the name has no IPv4 address'],
  ['both-families.test', '10.0.0.1 until 30'],
  ['two-hundred.test', '200 addresses until 30'],
  ['three-hundred.test', '256 addresses until 30'],
  ['zero-ttl.test', '10.0.0.1 until 1'],
  ['huge-ttl.test', '10.0.0.1 until 30'],
  ['twice.test', '10.0.0.1 10.0.0.2 until 30'],
  ['unusable.test', '10.0.0.99 until 1, the name has no IPv4 address that can be used'],
  ['empty.test', '10.0.0.99 until 1, the name has no IPv4 address'],
  ['no-such-name.test', '10.0.0.99 until 1, no such name'],
  ['server-failure.test', '10.0.0.99 until 1, the DNS server answers SERVFAIL'],
  ['format-error.test', '10.0.0.99 until 1, the DNS server answers FORMERR'],
  ['other-id.test', '10.0.0.99 until 1, timeout after 700 ms'],
  ['circle.test', '10.0.0.99 until 1, the name has no IPv4 address'],
  ['silent.test', '10.0.0.99 until 1, timeout after 700 ms'],
  ['noise.test', '10.0.0.99 until 1, the DNS server answers nonsense'],
])('%s', (host, expected) =>
  withoutLeaks(async () => {
    const startedAt = performance.now()
    expect(await told(host)).toBe(expected)
    expect(performance.now() - startedAt).toBeLessThan(3000)
  }),
)

test('a domain of the search list that cannot be asked is not passed over: the name may be meant there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lb-resolver-'))
  try {
    const resolvConf = join(folder, 'resolv.conf')
    const resolver = createResolver({ servers: [server.address], hostsFile: '/nonexistent', resolvConf })
    const found: string[] = []
    for (const domain of ['first', 'missing', 'silent']) {
      writeFileSync(resolvConf, `search ${domain === 'missing' ? 'no-such-name' : domain}.test second.test`)
      const answer = await resolver.resolve({ host: 'web', family: 'ipv4' })
      found.push(answer.ok ? answer.addresses.join() : answer.failure)
    }
    expect(found).toEqual(['server', '10.0.0.1', 'timeout'])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('aborted questions end at once', () =>
  withoutLeaks(async () => {
    const options = { servers: [server.address], hostsFile: '/nonexistent', resolvConf: '/nonexistent' }
    const resolver = createResolver(options)
    const controller = new AbortController()
    const warnings: Error[] = []
    const warn = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warn)
    const ask = (): Promise<Answer> =>
      resolver.resolve({ host: 'silent.test', family: 'ipv4' }, controller.signal)
    const answers = Array.from({ length: 50 }, ask)
    controller.abort()
    const aborted: Answer = { ok: false, failure: 'timeout', error: 'aborted' }
    for (const answer of await Promise.all([...answers, ask()])) expect(answer).toEqual(aborted)
    // Warnings are given in the next turn of the event loop.
    await nextTurn()
    process.off('warning', warn)
    expect(warnings).toEqual([])
  }))
