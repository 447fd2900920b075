import { type Goal, type Row, type Section } from '../support/report.ts'
import { exponent, median } from '../support/stats.ts'
import { byProxies, byRoutes, OPERATIONS, type Operation } from './cases.ts'
import { type Size } from './configuration.ts'
import { type SizeResult } from './sizes.ts'

/** Sorting is a little worse than linear, and rounds differ. */
const LINEAR = 1.15

interface Family {
  readonly what: string
  readonly sizes: readonly Size[]
  readonly n: (size: Size) => number
}

const families: readonly Family[] = [
  { what: 'proxies', sizes: byProxies.slice(0, 3), n: ({ proxies }) => proxies },
  {
    what: 'source routes',
    sizes: byRoutes.filter(({ routes }) => routes !== 1_000),
    n: ({ routes }) => routes,
  },
]

/** How time and memory grow between the two largest sizes of each kind, over what the smallest one takes. */
export function growth(results: readonly SizeResult[]): { section: Section; goals: Goal[] } {
  const rows: Row[] = []
  const goals: Goal[] = []
  for (const { what, sizes, n } of families) {
    const [smallest, small, large] = sizes.map((size) => find(results, size))
    for (const operation of OPERATIONS) {
      const cells = (['cpuMs', 'peakMiB'] as const).map((key) => {
        const cost = (result: SizeResult) => median(result.usage[operation].map((usage) => usage[key]))
        return exponent(
          { n: n(small!.size), cost: cost(small!) },
          { n: n(large!.size), cost: cost(large!) },
          cost(smallest!),
        )
      })
      rows.push({ labels: [operation, what], cells: cells.map((cell) => (cell === undefined ? [] : [cell])) })
      if (cells[0] !== undefined) goals.push(goal(operation, what, cells[0]))
    }
  }
  const notes = ['The power of n that each grows with: 1 is linear. -: too small a growth to tell.']
  const columns = [
    { title: 'CPU time', unit: 'exponent', digits: 2 },
    { title: 'peak memory', unit: 'exponent', digits: 2 },
  ]
  return { section: { title: 'Growth', notes, labels: ['command', 'with more'], columns, rows }, goals }
}

const find = (results: readonly SizeResult[], { proxies, routes }: Size) =>
  results.find(({ size }) => size.proxies === proxies && size.routes === routes)!

function goal(operation: Operation, what: string, measured: number): Goal {
  return {
    what: `growth of ${operation} with ${what}`,
    measured,
    limit: LINEAR,
    unit: 'exponent',
    kind: 'at most',
  }
}
