import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpCheck } from '../../src/engine/model/policy.ts'
import type { ProbeResult } from '../../src/engine/model/probe.ts'
import { until } from '../e2e/support/until.ts'
import { bundle } from '../support/bundle.ts'
import { mustRun } from '../support/lab/run.ts'
import { listening, raw, type Listening } from '../support/listening.ts'
import type { ProbeTask } from '../support/probe-main.ts'
import { answeringElsewhere, ask, fullServer, http, prober, said, tcp, unusedPort, withoutLeaks } from '../support/probing.ts' // prettier-ignore

describe('tcp', () => {
  test('a server that accepts is healthy, and is let go of', () =>
    withoutLeaks(async () => {
      await using server = await listening(createServer())
      expect(await ask(server.port, tcp())).toBe('ok')
      await using server6 = await listening(createServer(), '::1')
      expect(await ask(server6.port, tcp(), '::1')).toBe('ok')
      expect(server.connections()).toBe(1)
    }))

  test('a closed port refuses', () =>
    withoutLeaks(async () => {
      expect(await ask(await unusedPort(), tcp())).toBe('connection refused')
    }))

  test('an address that nobody has times out', () =>
    withoutLeaks(async () => {
      await using server = await fullServer()
      const startedAt = performance.now()
      expect(await ask(server.port, tcp(300))).toBe('timeout after 300 ms')
      expect(performance.now() - startedAt).toBeLessThan(2000)
    }))
})

describe('http', () => {
  const pages: RequestListener = (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    switch (url.pathname) {
      case '/echo':
        response.end(
          `${request.method ?? ''} ${request.headers.host ?? ''} ${request.headers.connection ?? ''}`,
        )
        break
      case '/redirect':
        response.writeHead(302, { Location: '/health' }).end()
        break
      case '/huge':
        response.write('x'.repeat(Number(url.searchParams.get('bytes'))))
        response.end('needle')
        break
      case '/endless': {
        const write = (): void => {
          while (response.write('x'.repeat(1024)));
        }
        response.on('drain', write)
        write()
        break
      }
      default:
        response.statusCode = Number(url.searchParams.get('code') ?? 200)
        response.end('all is well')
    }
  }
  let server: Listening
  beforeAll(async () => {
    server = await listening(createHttp(pages))
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const cases: readonly [string, Partial<HttpCheck>, string][] = [
    ['an expected code', {}, 'ok'],
    ['another expected code', { path: '/?code=204', expectedCodes: [200, 204] }, 'ok'],
    ['a code that is not expected', { path: '/?code=503' }, 'HTTP 503'],
    ['a redirect, which is not followed', { path: '/redirect' }, 'HTTP 302'],
    ['a redirect that is expected', { path: '/redirect', expectedCodes: [302] }, 'ok'],
    ['HEAD', { method: 'HEAD' }, 'ok'],
    ['OPTIONS', { method: 'OPTIONS' }, 'ok'],
    ['a body with the text', { expectedBody: 'is well' }, 'ok'],
    ['a body without the text', { expectedBody: 'is bad' }, 'the body is without the expected text'],
    ['method, Host header and an end to the connection', { path: '/echo', method: 'OPTIONS', host: 'a.test:8', expectedBody: 'OPTIONS a.test:8 close' }, 'ok'],
    ['the text at the end of what is read', { path: `/huge?bytes=${65_536 - 6}`, expectedBody: 'needle' }, 'ok'],
    ['the text after what is read', { path: '/huge?bytes=65536', expectedBody: 'needle' }, 'the first 64 KiB of the body are without the expected text'],
    ['a body without end', { path: '/endless', expectedBody: 'needle' }, 'the first 64 KiB of the body are without the expected text'],
    ['a body without end that nobody asked for', { path: '/endless' }, 'ok'],
    ['a path that is none', { path: '/a b' }, 'inconclusive: Request path contains unescaped characters'],
  ] // prettier-ignore
  test.each(cases)('%s', (_, given, expected) =>
    withoutLeaks(async () => {
      expect(await ask(server.port, http(given))).toBe(expected)
    }),
  )

  test('the Host header is address and port where none is configured', () =>
    withoutLeaks(async () => {
      const body = `GET 127.0.0.1:${server.port} `
      expect(await ask(server.port, http({ path: '/echo', expectedBody: body }))).toBe('ok')
      await using server6 = await listening(createHttp(pages), '::1')
      const body6 = `GET [::1]:${server6.port} `
      expect(await ask(server6.port, http({ path: '/echo', expectedBody: body6 }), '::1')).toBe('ok')
    }))

  const rude: readonly [string, Parameters<typeof raw>[0], string][] = [
    ['accepts and never answers', () => undefined, 'timeout after 400 ms'],
    ['resets', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'connection reset'],
    ['ends without an answer', (socket) => socket.once('data', () => socket.end()), 'connection closed without an answer'],
    ['does not speak HTTP', (socket) => socket.end('220 mail.test ESMTP\r\n'), 'the answer is not HTTP'],
    ['sends headers for ever', (socket) => { socket.write('HTTP/1.1 200 OK\r\n'); forEver(socket, 'X-Header: 12345678901234567890\r\n') }, 'more than 16 KiB of headers'],
    ['sends one long header for ever', (socket) => { socket.write('HTTP/1.1 200 OK\r\nX-Header: '); forEver(socket, 'x'.repeat(512)) }, 'more than 16 KiB of headers'],
    ['sends interim answers for ever', (socket) => forEver(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'), 'timeout after 400 ms'],
    ['changes the protocol', (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'), 'HTTP 101'],
    ['breaks off in the body', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnee'), 'connection closed within the body'],
    ['drips its body', (socket) => { socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n'); drip(socket) }, 'timeout after 400 ms'],
  ] // prettier-ignore
  test.each(rude)('a server that %s', (_, serve, expected) =>
    withoutLeaks(async () => {
      await using server = await listening(raw(serve))
      const startedAt = performance.now()
      expect(await ask(server.port, http({ expectedBody: 'needle' }, 400))).toBe(expected)
      expect(performance.now() - startedAt).toBeLessThan(3000)
    }),
  )
})

function forEver(socket: Socket, text: string): void {
  const write = (): void => {
    if (socket.destroyed) return
    if (socket.write(text)) setImmediate(write)
    else socket.once('drain', write)
  }
  write()
}

function drip(socket: Socket): void {
  const timer = setInterval(() => socket.write('x'), 20)
  socket.on('close', () => clearInterval(timer))
}

describe('under way', () => {
  test('an aborted probe ends at once and says nothing about the target', () =>
    withoutLeaks(async () => {
      await using server = await listening(raw(() => undefined))
      const controller = new AbortController()
      const results = Array.from({ length: 50 }, () =>
        prober.probe({ ip: '127.0.0.1', port: server.port, check: http() }, controller.signal),
      )
      await until('connections', () => server.connections() === 50)
      controller.abort()
      const startedAt = performance.now()
      expect(new Set((await Promise.all(results)).map(said))).toEqual(new Set(['inconclusive: aborted']))
      const late = await prober.probe({ ip: '127.0.0.1', port: server.port, check: tcp() }, controller.signal)
      expect(said(late)).toBe('inconclusive: aborted')
      expect(performance.now() - startedAt).toBeLessThan(1000)
    }))

  test('time in which this process was busy is not held against targets', () =>
    withoutLeaks(async () => {
      await using answering = await answeringElsewhere()
      const tcpResult = ask(answering.port, tcp(100))
      const httpResult = ask(answering.port, http({}, 100))
      const free = performance.now() + 400
      while (performance.now() < free);
      expect([await tcpResult, await httpResult]).toEqual(['ok', 'ok'])
    }))

  test('descriptors that have run out say nothing about the target', async () => {
    await using server = await listening(createServer())
    for (const check of [tcp(), http()]) {
      const task: ProbeTask = { request: { ip: '127.0.0.1', port: server.port, check }, exhaust: true }
      const child = ['prlimit', '--nofile=64', process.execPath, bundle('test/support/probe-main.ts')]
      const result = JSON.parse(await mustRun([...child, JSON.stringify(task)])) as ProbeResult
      expect(said(result)).toBe('inconclusive: no file descriptors left in this process')
    }
    expect(server.connections()).toBe(0)
  })
})
