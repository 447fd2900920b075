/** The result of a benchmark as data: what is printed and what is kept are made from it. */
import { summarise, type Summary } from './stats.ts'

export interface Column {
  readonly title: string
  readonly unit: string
  /** Digits after the point. */
  readonly digits?: number
}

export interface Row {
  readonly labels: readonly string[]
  /** The samples of each column, one a round. */
  readonly cells: readonly (readonly number[])[]
}

export interface Section {
  readonly title: string
  readonly notes: readonly string[]
  readonly labels: readonly string[]
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
}

export interface Goal {
  readonly what: string
  readonly measured: number
  readonly limit: number
  readonly unit: string
  /** Whether the figure has to be at most the limit, or at least. */
  readonly kind: 'at most' | 'at least'
}

export interface Outcome {
  readonly sections: readonly Section[]
  readonly goals: readonly Goal[]
}

export interface Machine {
  readonly cpu: string
  readonly cpus: number
  readonly memoryGiB: number
  readonly hypervisor: string
  readonly kernel: string
  readonly distribution: string
  readonly node: string
}

export interface Report extends Outcome {
  readonly benchmark: string
  readonly startedAt: string
  readonly seconds: number
  readonly rounds: number
  /** Load average of one minute when it began: above 0.5 other programs disturbed it. */
  readonly loadBefore: number
  readonly commit: string
  readonly machine: Machine
}

export function isMet({ measured, limit, kind }: Goal): boolean {
  return kind === 'at most' ? measured <= limit : measured >= limit
}

/** The document that `--json` prints and bench/results keeps. */
export function toDocument(report: Report): unknown {
  const { sections, goals, ...head } = report
  return {
    formatVersion: 1,
    ...head,
    sections: sections.map((section) => ({ ...section, rows: section.rows.map(withSummaries) })),
    goals: goals.map((goal) => ({ ...goal, met: isMet(goal) })),
  }
}

function withSummaries({ labels, cells }: Row): unknown {
  const round = (value: number) => Number(value.toPrecision(5))
  const rounded = ({ median, min, max }: Summary) => ({
    median: round(median),
    min: round(min),
    max: round(max),
  })
  return {
    labels,
    cells: cells.map((samples) =>
      samples.length === 0 ? null : { ...rounded(summarise(samples)), samples: samples.map(round) },
    ),
  }
}
