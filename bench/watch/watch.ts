/** `npm run bench -- watch`: the daemon. What its checks take, how soon it acts on them, and how fast it reloads. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Lab } from '../../test/support/netns.ts'
import { progress } from '../support/progress.ts'
import { type Goal, type Outcome, type Section } from '../support/report.ts'
import { median } from '../support/stats.ts'
import { checkers, hasIpVs, ours, type Checker } from './checkers.ts'
import { checked, type Check } from './configurations.ts'
import { measureDetection, shapes } from './detection.ts'
import { handshakes, watchLab } from './network.ts'
import { loadOf, type Load } from './processes.ts'
import { CHANGES, measureReloads, type ReloadResult } from './reload.ts'

interface Checking extends Load {
  /** Checks that came to the backends, a second. */
  readonly perSecond: number
}

interface Records {
  readonly checking: Readonly<Record<Check, ReadonlyMap<Checker, Checking[]>>>
  /** Of each shape: the times of each round. */
  readonly detection: readonly number[][][]
  readonly reloads: ReloadResult[]
}

/** How long checks are measured, in ms. */
const MEASURE_MS = { tcp: 6000, http: 3000 } as const

export async function watchBenchmark(rounds: number): Promise<Outcome> {
  await using lab = await watchLab()
  const records: Records = {
    checking: {
      tcp: new Map(checkers.map((one) => [one, []])),
      http: new Map(checkers.map((one) => [one, []])),
    },
    detection: shapes.map(() => []),
    reloads: [],
  }
  for (let round = 0; round < rounds; round++) {
    const say = (what: string) => progress(`round ${round + 1} of ${rounds}: ${what}`)
    const first = round % checkers.length
    // Another one begins each time, so that none always comes after the same one.
    for (const checker of [...checkers.slice(first), ...checkers.slice(0, first)]) {
      for (const check of ['tcp', 'http'] as const) {
        say(`${checker.name}, ${check} checks`)
        records.checking[check].get(checker)!.push(await measureChecks(lab, checker, check))
      }
    }
    for (const [i, shape] of shapes.entries()) {
      say(`failures in lists of ${shape.targets}`)
      records.detection[i]!.push(await measureDetection(lab, shape))
    }
    say('reloads')
    records.reloads.push(await measureReloads(lab))
  }
  return {
    sections: [
      checkSection('tcp', records),
      checkSection('http', records),
      detectionSection(records),
      reloadSection(records),
    ],
    goals: goals(records),
  }
}

async function measureChecks(lab: Lab, checker: Checker, check: Check): Promise<Checking> {
  const running = await checker.start(lab, check)
  try {
    await allAreChecked(lab)
    await sleep(checker.settleMs)
    const before = await handshakes(lab)
    const began = performance.now()
    const load = await loadOf(running.pid, MEASURE_MS[check])
    const made = (await handshakes(lab)) - before
    return { ...load, perSecond: (1000 * made) / (performance.now() - began) }
  } finally {
    await running.stop()
  }
}

/** Waits for a second with a check of nearly every backend in it. @throws where that takes too long */
async function allAreChecked(lab: Lab): Promise<void> {
  for (let before = await handshakes(lab), second = 0; second < 20; second++) {
    await sleep(1000)
    const now = await handshakes(lab)
    if (now - before > 0.97 * checked.lists * checked.targets) return
    before = now
  }
  throw new Error('the backends are not checked each second')
}

const standIn =
  'The kernel has no ip_vs: a library answers keepalived in its place, so its tables cost nothing here.'

function checkSection(check: Check, { checking }: Records): Section {
  return {
    title: `1,000 backends checked each second by ${check.toUpperCase()}`,
    notes: [
      'Time in the kernel counts for whoever is running: sending to the backend and its answer, on one machine.',
      ...(hasIpVs ? [] : [standIn]),
    ],
    labels: ['by'],
    columns: [
      { title: 'of a core', unit: '%', digits: 1 },
      { title: 'resident memory', unit: 'MiB' },
      { title: 'checks', unit: '1/s' },
    ],
    rows: checkers.map((checker) => {
      const samples = checking[check].get(checker)!
      return {
        labels: [checker.name],
        cells: [
          samples.map(({ cpuPercent }) => cpuPercent),
          samples.map(({ residentMiB }) => residentMiB),
          samples.map(({ perSecond }) => perSecond),
        ],
      }
    }),
  }
}

/** The least time that so much of them do not exceed. */
function quantile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.ceil(part * sorted.length) - 1]!
}

function detectionSection({ detection }: Records): Section {
  return {
    title: 'From the answer that makes a target sick to the table without it',
    notes: [
      'From just before a target sends 503 to the first look, of one in 0.1 ms, that finds it gone: the way there counts.',
      `${detection[0]![0]!.length} targets fail within a second, each at the time of its own check. Of 1,000, they are checked by`,
      'HTTP and the others by TCP.',
    ],
    labels: ['targets of the list'],
    columns: [
      { title: 'p50', unit: 'ms', digits: 2 },
      { title: 'p99', unit: 'ms', digits: 2 },
      { title: 'longest', unit: 'ms', digits: 2 },
    ],
    rows: shapes.map(({ targets }, i) => ({
      labels: [targets.toLocaleString('en')],
      cells: [0.5, 0.99, 1].map((part) => detection[i]!.map((times) => quantile(times, part))),
    })),
  }
}

function reloadSection({ reloads }: Records): Section {
  return {
    title: 'Reload of a file of 10,000 targets',
    notes: [
      '1,250 services of 8 targets. From the write of the file to the generation that serves; the daemon waits for',
      '100 ms in which nothing changes. HAProxy (-sf): until the new process listens.',
    ],
    labels: ['what changed'],
    columns: [
      { title: 'lb watch', unit: 'ms' },
      { title: 'its CPU time', unit: 'ms' },
      { title: 'HAProxy', unit: 'ms' },
    ],
    rows: CHANGES.map((change) => ({
      labels: [change],
      cells: [
        reloads.map(({ lb }) => lb[change].ms),
        reloads.map(({ lb }) => lb[change].cpuMs),
        reloads.map(({ haproxyMs }) => haproxyMs[change]),
      ],
    })),
  }
}

function goals({ checking, detection, reloads }: Records): Goal[] {
  const own = checking.tcp.get(ours)!
  const at = (what: string, measured: number, limit: number, unit: string): Goal => {
    return { what, measured, limit, unit, kind: 'at most' }
  }
  return [
    at('1,000 TCP checks a second, share of a core', median(own.map((one) => one.cpuPercent)), 10, '%'),
    at('resident memory with 1,000 targets', median(own.map((one) => one.residentMiB)), 150, 'MiB'),
    ...shapes.map(({ targets }, i) =>
      at(
        `a sick target out of a list of ${targets.toLocaleString('en')}, p99 of all`,
        quantile(detection[i]!.flat(), 0.99),
        5,
        'ms',
      ),
    ),
    ...CHANGES.map((change) =>
      at(
        `reload of 10,000 targets, ${change}`,
        median(reloads.map(({ lb }) => lb[change].ms)) / 1000,
        1,
        's',
      ),
    ),
  ]
}
