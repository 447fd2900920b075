/** `npm run bench -- peers`: the same work by plain routing, lb and other load balancers. */
import { type Lab } from '../../test/support/netns.ts'
import { progress } from '../support/progress.ts'
import { type Goal, type Outcome, type Section } from '../support/report.ts'
import { median } from '../support/stats.ts'
import { answers, httpLoad, LOADS, throughput, type HttpLoad, type HttpResult } from './load.ts'
import { peersLab } from './network.ts'
import { ours, peers, reference, type Peer } from './peers.ts'

/** What a peer did, a sample a round. */
interface Measured {
  readonly http: Readonly<Record<HttpLoad, HttpResult[]>>
  readonly gigabits: number[]
}

type Records = ReadonlyMap<Peer, Measured>

export async function comparePeers(rounds: number): Promise<Outcome> {
  await using lab = await peersLab()
  const records: Records = new Map(
    peers.map((peer) => [peer, { http: { new: [], reused: [], kept: [] }, gigabits: [] }]),
  )
  for (let round = 0; round < rounds; round++) {
    // Another one begins each time, so that none always comes after the same one.
    for (const peer of [...peers.slice(round % peers.length), ...peers.slice(0, round % peers.length)]) {
      progress(`round ${round + 1} of ${rounds}: ${peer.name}`)
      await measurePeer(lab, peer, records.get(peer)!)
    }
  }
  return {
    sections: [...LOADS.map((load) => httpSection(load, records)), throughputSection(records)],
    goals: goals(records),
  }
}

async function measurePeer(lab: Lab, peer: Peer, { http, gigabits }: Measured): Promise<void> {
  const stop = await peer.start(lab)
  try {
    await answers(lab, peer)
    for (const load of LOADS) http[load].push(await httpLoad(lab, peer, load))
    gigabits.push(await throughput(lab, peer))
  } finally {
    await stop()
  }
}

/** Of what plain routing did in the same round. */
function shares(own: readonly number[], limit: readonly number[]): number[] {
  return own.map((value, round) => value / limit[round]!)
}

const titles: Readonly<Record<HttpLoad, string>> = {
  new: 'New connections, one HTTP request each',
  reused: 'New connections from 1,024 source ports, reused within TIME-WAIT',
  kept: 'HTTP requests on kept connections',
}

function httpSection(load: HttpLoad, records: Records): Section {
  const of = (peer: Peer, key: keyof HttpResult) => records.get(peer)!.http[load].map((result) => result[key])
  return {
    title: titles[load],
    notes: ['32 at a time'],
    labels: ['through'],
    columns: [
      { title: 'requests', unit: '1/s' },
      { title: 'of plain routing', unit: '×', digits: 2 },
      { title: 'p50', unit: 'ms', digits: 2 },
      { title: 'p99', unit: 'ms', digits: 2 },
      { title: 'failed', unit: 'a run' },
    ],
    rows: peers.map((peer) => ({
      labels: [peer.name],
      cells: [
        of(peer, 'perSecond'),
        shares(of(peer, 'perSecond'), of(reference, 'perSecond')),
        of(peer, 'p50Ms'),
        of(peer, 'p99Ms'),
        of(peer, 'errors'),
      ],
    })),
  }
}

function throughputSection(records: Records): Section {
  const of = (peer: Peer) => records.get(peer)!.gigabits
  return {
    title: 'Throughput of one TCP connection',
    notes: [],
    labels: ['through'],
    columns: [
      { title: 'throughput', unit: 'Gbit/s', digits: 2 },
      { title: 'of plain routing', unit: '×', digits: 2 },
    ],
    rows: peers.map((peer) => ({ labels: [peer.name], cells: [of(peer), shares(of(peer), of(reference))] })),
  }
}

function goals(records: Records): Goal[] {
  const [own, limit] = [records.get(ours)!, records.get(reference)!]
  const share = (load: HttpLoad, key: keyof HttpResult) =>
    median(
      shares(
        own.http[load].map((r) => r[key]),
        limit.http[load].map((r) => r[key]),
      ),
    )
  const goal = (what: string, measured: number, kind: Goal['kind'], value: number): Goal => ({
    what: `${what}, against plain routing`,
    measured,
    limit: value,
    unit: '×',
    kind,
  })
  return [
    goal('new connections', share('new', 'perSecond'), 'at least', 0.95),
    goal('new connections, ports reused', share('reused', 'perSecond'), 'at least', 0.95),
    goal('kept requests', share('kept', 'perSecond'), 'at least', 0.97),
    goal('throughput', median(shares(own.gigabits, limit.gigabits)), 'at least', 0.95),
    goal('p99 latency of new connections', share('new', 'p99Ms'), 'at most', 1.1),
    goal('p99 latency of kept requests', share('kept', 'p99Ms'), 'at most', 1.1),
  ]
}
