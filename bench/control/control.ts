/** `npm run bench -- control`: the commands, from one proxy to 100,000 targets and source routes. */
import { benchLab } from '../support/labs.ts'
import { type Goal, type Outcome, type Section } from '../support/report.ts'
import { median } from '../support/stats.ts'
import { type Usage } from '../support/measure.ts'
import { byProxies, byRoutes, OPERATIONS, type Operation } from './cases.ts'
import { TARGETS_PER_PROXY, type Size } from './configuration.ts'
import { growth } from './growth.ts'
import { measureSizes, type SizeResult } from './sizes.ts'
import { measureStartUp, START_UPS, type StartUp } from './start-up.ts'

export async function control(rounds: number): Promise<Outcome> {
  await using lab = await benchLab({ backends: 1 })
  // Every target is reached through the backend's interface.
  await lab.lb.exec(['ip', 'route', 'add', '10.0.0.0/8', 'via', lab.backends[0]!.address.ipv4])
  const startUp = await measureStartUp(lab, rounds)
  const sizes = await measureSizes(lab, rounds)
  const { section, goals } = growth(sizes)
  return {
    sections: [
      startUpSection(startUp),
      ...OPERATIONS.map((name) => sizeSection(name, sizes)),
      section,
      memorySection(sizes),
    ],
    goals: [...startUpGoals(startUp), ...sizeGoals(sizes), ...goals],
  }
}

const columns = [
  { title: 'time', unit: 'ms' },
  { title: 'CPU time', unit: 'ms' },
  { title: 'peak memory', unit: 'MiB' },
]
const cellsOf = (usage: readonly Usage[]) => [
  usage.map(({ wallMs }) => wallMs),
  usage.map(({ cpuMs }) => cpuMs),
  usage.map(({ peakMiB }) => peakMiB),
]

function startUpSection(startUp: Readonly<Record<StartUp, readonly Usage[]>>): Section {
  return {
    title: 'Starting',
    notes: ['validate reads a file of just under 1,000 lines'],
    labels: ['command'],
    columns,
    rows: START_UPS.map((name) => ({ labels: [name], cells: cellsOf(startUp[name]) })),
  }
}

function startUpGoals(startUp: Readonly<Record<StartUp, readonly Usage[]>>): Goal[] {
  const cpu = (name: StartUp) => median(startUp[name].map(({ cpuMs }) => cpuMs))
  const limits = [
    ['lb --version', 2],
    ['lb --help', 2],
    ['lb validate', 3.5],
  ] as const
  return limits.map(([name, limit]) => ({
    what: `CPU time of ${name}, against node -e 0`,
    measured: cpu(name) / cpu('node -e 0'),
    limit,
    unit: '×',
    kind: 'at most',
  }))
}

const name = ({ proxies, routes }: Size) =>
  [proxies, proxies * TARGETS_PER_PROXY, routes].map((n) => n.toLocaleString('en'))

function sizeSection(operation: Operation, sizes: readonly SizeResult[]): Section {
  return {
    title: `lb ${operation}`,
    notes: [],
    labels: ['proxies', 'targets', 'source routes'],
    columns,
    rows: sizes.map(({ size, usage }) => ({ labels: name(size), cells: cellsOf(usage[operation]) })),
  }
}

function sizeGoals(sizes: readonly SizeResult[]): Goal[] {
  const largest = [byProxies.at(-1)!, byRoutes.at(-1)!]
  const operations: readonly Operation[] = ['plan, no change', 'plan, one change', 'apply, one change']
  return largest.flatMap((size) => {
    const { usage } = sizes.find((result) => result.size === size)!
    const [, targets, routes] = name(size)
    return operations.map((operation): Goal => ({
      what: `${operation}, at ${targets!} targets and ${routes!} source routes`,
      measured: median(usage[operation].map(({ wallMs }) => wallMs)) / 1000,
      limit: 2,
      unit: 's',
      kind: 'at most',
    }))
  })
}

/** Only what grows with the proxies: interfaces and settings are there once. */
function memorySection(sizes: readonly SizeResult[]): Section {
  return {
    title: 'Kernel memory of one generation of tables',
    notes: [],
    labels: ['proxies', 'targets', 'source routes'],
    columns: [
      { title: 'all', unit: 'MiB', digits: 2 },
      { title: 'per 1,000 proxies', unit: 'KiB' },
    ],
    rows: sizes.map(({ size, mapBytes }) => ({
      labels: name(size),
      cells: [[mapBytes / 2 ** 20], [mapBytes / 2 ** 10 / (size.proxies / 1000)]],
    })),
  }
}
