import { expect, test } from 'vitest'
import type { HealthCheck } from '../../src/engine/model/policy.ts'
import type { ProbeResult } from '../../src/engine/model/probe.ts'
import { bundle } from '../support/bundle.ts'
import { httpPort, vip } from '../support/netns.ts'
import type { ProbeTask } from '../support/probe-main.ts'
import { anyAddress, apply, config, proxy, raw, useLab } from './support/lb.ts'

const lab = useLab({ localBackend: true })

const check: HealthCheck = {
  ...{ type: 'http', port: null, intervalMs: 1000, timeoutMs: 2000, tls: null },
  ...{ healthyThreshold: 2, unhealthyThreshold: 3 },
  http: { method: 'GET', path: '/', host: null, expectedCodes: [200], expectedBody: null },
}

/** Whether a server answers with this text, asked from the load balancer. */
async function probe(ip: string, expectedBody: string, port = httpPort): Promise<string> {
  const asked = { ...check, http: { ...check.http!, expectedBody } }
  const task: ProbeTask = { request: { ip, port, check: asked }, exhaust: false }
  const argv = [process.execPath, bundle('test/support/probe-main.ts'), JSON.stringify(task)]
  const { stdout } = await lab().lb.run(argv)
  const result = JSON.parse(stdout) as ProbeResult
  return result.ok ? 'ok' : result.error
}

test('a probe asks the target itself, also where a proxy listens on its address and port', async () => {
  const local = { ip: '10.0.0.1', port: httpPort }
  const [b1, b2] = lab().backends.map(({ address }) => ({ ip: address.ipv4, port: httpPort }))
  const listening = { interfaces: ['front0', 'back0'] }
  const proxies = [
    proxy('web', [b1!], { ...listening, port: 80 }),
    proxy('same-port', [local, b1!, b2!], { ...listening, port: httpPort }),
  ]
  await apply(lab(), config(proxies.map(anyAddress)))
  for (let i = 0; i < 5; i++) {
    expect(await probe('10.0.0.1', 'local')).toBe('ok')
    expect(await probe('10.0.0.11', 'b1')).toBe('ok')
    // The load balancer's own service address: nobody listens there, and no proxy takes what this host sends.
    expect(await probe(vip.ipv4, 'b1', 80)).toBe('connection refused')
  }
  const { backends } = await raw(lab())
  expect(Object.values(backends).map(({ opened }) => opened)).toEqual([0, 0, 0])
})
