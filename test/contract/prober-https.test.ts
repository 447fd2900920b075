import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HealthCheck } from '../../src/engine/model/policy.ts'
import { createAuthority, type Authority } from '../support/certificates.ts'
import { listening, type Listening } from '../support/listening.ts'
import { ask, https, withoutLeaks } from '../support/probing.ts'

describe('https', () => {
  let authority: Authority
  let good: Listening
  let forAddress: Listening
  let expired: Listening
  let selfSigned: Listening
  let plain: Listening
  const names: string[] = []
  beforeAll(async () => {
    authority = createAuthority()
    const serve: RequestListener = (_, response) => response.end('all is well')
    const pair = authority.issue(['DNS:backend.test', 'DNS:other.test'])
    const server = createHttps({ ...pair, SNICallback: (name, done) => { names.push(name); done(null) } }, serve) // prettier-ignore
    good = await listening(server)
    forAddress = await listening(createHttps(authority.issue(['IP:127.0.0.1']), serve))
    expired = await listening(createHttps(authority.issue(['DNS:backend.test'], -1), serve))
    selfSigned = await listening(createHttps(authority.selfSigned(['DNS:backend.test']), serve))
    plain = await listening(createHttp(serve))
  })
  afterAll(async () => {
    for (const server of [good, forAddress, expired, selfSigned, plain]) await server[Symbol.asyncDispose]()
    authority[Symbol.dispose]()
  })

  const sni = 'backend.test'
  const cases: readonly [string, () => [Listening, HealthCheck], string][] = [
    ['a certificate of the authority', () => [good, https({ caFile: authority.caFile, sni }, { expectedBody: 'well' })], 'ok'],
    ['the name from the Host header', () => [good, https({ caFile: authority.caFile }, { host: 'other.test:8443' })], 'ok'],
    ['a certificate for the address', () => [forAddress, https({ caFile: authority.caFile })], 'ok'],
    ['a certificate for another address', () => [good, https({ caFile: authority.caFile })], 'the certificate is not for 127.0.0.1'],
    ['a certificate for another name', () => [good, https({ caFile: authority.caFile, sni: 'wrong.test' })], 'the certificate is not for wrong.test'],
    ['a certificate that has expired', () => [expired, https({ caFile: authority.caFile, sni })], 'certificate has expired'],
    ['an authority that the system does not know', () => [good, https({ sni })], 'unable to verify the first certificate'],
    ['a self-signed certificate', () => [selfSigned, https({ caFile: authority.caFile, sni })], 'self-signed certificate'],
    ['any certificate, where that is asked for', () => [expired, https({ insecureSkipVerify: true })], 'ok'],
    ['a server without TLS', () => [plain, https({ insecureSkipVerify: true })], 'TLS: wrong version number'],
  ] // prettier-ignore
  test.each(cases)('%s', (_, given, expected) =>
    withoutLeaks(async () => {
      const [server, check] = given()
      expect(await ask(server.port, check)).toBe(expected)
    }),
  )

  test('the name is sent to the server; an address never is', async () => {
    names.length = 0
    await ask(good.port, https({ caFile: authority.caFile, sni }))
    await ask(good.port, https({ insecureSkipVerify: true }, { host: '127.0.0.1:443' }))
    expect(names).toEqual([sni])
  })

  test('a CA file that cannot be used says nothing about the target', async () => {
    const missing = join(authority.folder, 'missing.pem')
    expect(await ask(good.port, https({ caFile: missing, sni }))).toMatch(
      /^inconclusive: ENOENT.*missing\.pem/,
    )
    const empty = join(authority.folder, 'empty.pem')
    writeFileSync(empty, 'nothing')
    expect(await ask(good.port, https({ caFile: empty, sni }))).toMatch(
      /^inconclusive: .*empty\.pem holds no certif/,
    )
  })

  test('a CA file that was replaced is read again', async () => {
    using other = createAuthority()
    const caFile = join(authority.folder, 'replaced.pem')
    writeFileSync(caFile, readFileSync(other.caFile))
    expect(await ask(good.port, https({ caFile, sni }))).toBe('unable to verify the first certificate')
    writeFileSync(caFile, `${readFileSync(authority.caFile, 'utf8')}\n`)
    expect(await ask(good.port, https({ caFile, sni }))).toBe('ok')
  })
})
