/** Load on a service, and what came of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Lab } from '../../test/support/netns.ts'
import { throughputPort } from './network.ts'
import { type Peer } from './peers.ts'

/** Seconds of each measurement. */
const SECONDS = 3
const CONNECTIONS = 32

export interface HttpResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Connections and requests that failed. */
  readonly errors: number
}

export const LOADS = ['new', 'reused', 'kept'] as const
/** Connections of one request each; the same from few source ports; connections that are kept. */
export type HttpLoad = (typeof LOADS)[number]

/** Few enough to come round several times in a second, while the servers still remember their last use. */
const FEW_PORTS = '20000 21023'

export async function httpLoad(lab: Lab, peer: Peer, load: HttpLoad): Promise<HttpResult> {
  const url = `http://${peer.address}:${peer.webPort}/`
  const argv = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, '--timeout', '2s', '--latency']
  const headers = load === 'kept' ? [] : ['-H', 'Connection: close']
  const range = '/proc/sys/net/ipv4/ip_local_port_range'
  const usual = (await lab.client.exec(['cat', range])).trim()
  const setRange = (ports: string) => lab.client.exec(['sh', '-c', `echo ${ports} > ${range}`])
  if (load === 'reused') await setRange(FEW_PORTS)
  try {
    return readWrk(await lab.client.exec([...argv, ...headers, url]))
  } finally {
    if (load === 'reused') await setRange(usual)
  }
}

/** @throws where wrk printed something else than results */
export function readWrk(text: string): HttpResult {
  const find = (pattern: RegExp): string => {
    const found = pattern.exec(text)?.[1]
    if (found === undefined) throw new Error(`wrk did not say ${pattern.source}:\n${text}`)
    return found
  }
  const failed = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? []
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? '0'
  return {
    perSecond: Number(find(/^Requests\/sec:\s+([0-9.]+)/m)),
    p50Ms: milliseconds(find(/^\s+50%\s+([0-9.]+[a-z]+)/m)),
    p99Ms: milliseconds(find(/^\s+99%\s+([0-9.]+[a-z]+)/m)),
    errors: [...failed.slice(1), refused].reduce((sum, count) => sum + Number(count), 0),
  }
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

function milliseconds(text: string): number {
  const [, value, unit] = /^([0-9.]+)([a-z]+)$/.exec(text) ?? []
  return Number(value) * UNITS[unit ?? '']!
}

/** Gbit/s of one connection. */
export async function throughput(lab: Lab, peer: Peer): Promise<number> {
  const argv = ['iperf3', '--client', peer.address, '--port', String(throughputPort), '--json']
  const report = JSON.parse(await lab.client.exec([...argv, '--time', String(SECONDS)])) as {
    readonly end: { readonly sum_received: { readonly bits_per_second: number } }
  }
  return report.end.sum_received.bits_per_second / 1e9
}

/** Waits until the service answers, which it has to do soon. */
export async function answers(lab: Lab, peer: Peer): Promise<void> {
  const url = `http://${peer.address}:${peer.webPort}/`
  for (let attempt = 0; attempt < 50; attempt++) {
    const { code } = await lab.client.curl(url, ['--fail', '--output', '/dev/null'])
    if (code === 0) return
    await sleep(100)
  }
  throw new Error(`${peer.name} does not answer`)
}
