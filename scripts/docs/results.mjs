// @ts-check
/** Tables of Markdown from what the benchmarks kept in bench/results. */

/**
 * @typedef {{ title: string, unit: string, digits?: number }} Column
 * @typedef {{ median: number, min: number, max: number }} Cell
 * `null`: not measured.
 * @typedef {{ labels: string[], cells: (Cell | null)[] }} Row
 * @typedef {{ title: string, notes: string[], labels: string[], columns: Column[], rows: Row[] }} Section
 * @typedef {{ what: string, kind: string, limit: number, measured: number, unit: string, met: boolean }} Goal
 * @typedef {{ benchmark: string, startedAt: string, rounds: number, loadBefore: number, commit: string,
 *   machine: Record<string, string | number>, sections: Section[], goals: Goal[] }} Result
 */

const BLOCK = /(<!-- results: (\w+) -->\n)[^]*?(<!-- end of results -->)/g

/**
 * Puts the tables of each result that a text names into it, in the place of those that it has.
 * @param {string} text
 * @param {(name: string) => Promise<Result>} readResult
 */
export async function fillResults(text, readResult) {
  const names = [...text.matchAll(BLOCK)].map(([, , name = '']) => name)
  const tables = new Map()
  for (const name of names) tables.set(name, render(await readResult(name)))
  return text.replaceAll(BLOCK, (_, begin, name, end) => `${begin}\n${tables.get(name)}\n\n${end}`)
}

/** @param {Result} result */
function render({ benchmark, startedAt, rounds, loadBefore, commit, machine, sections, goals }) {
  const { cpu, cpus, memoryGiB, hypervisor, kernel, distribution, node } = machine
  const where = `${cpus} CPUs (${cpu}, ${hypervisor}), ${memoryGiB} GiB, Linux ${kernel}, ${distribution}, Node ${node}`
  const head =
    `\`npm run bench -- ${benchmark}\`, ${startedAt.slice(0, 10)}, commit ${commit}, load ${loadBefore.toFixed(1)} before it; ` +
    `${where}. Medians of ${rounds} rounds, in brackets the least and the greatest.`
  return [head, ...sections.map(renderSection), renderGoals(goals)].join('\n\n')
}

/** @param {Section} section */
function renderSection({ title, notes, labels, columns, rows }) {
  const head = [...labels, ...columns.map((column) => `${column.title}, ${column.unit}`)]
  const body = rows.map((row) => [
    ...row.labels,
    ...row.cells.map((cell, i) => {
      if (cell === null) return '-'
      const { median, min, max } = cell
      const [middle, least, most] = [median, min, max].map((value) => number(value, columns[i]?.digits ?? 0))
      return `${middle} (${least}–${most})`
    }),
  ])
  return [`### ${title}`, ...notes, table(head, body, labels.length)].join('\n\n')
}

/** @param {Goal[]} goals */
function renderGoals(goals) {
  const rows = goals.map(({ what, kind, limit, measured, unit, met }) => {
    const digits = limit < 10 ? 2 : 0
    return [
      what,
      `${kind} ${number(limit, digits)} ${unit}`,
      `${number(measured, digits)} ${unit}`,
      met ? 'met' : '**missed**',
    ]
  })
  return ['### Goals', table(['what', 'goal', 'measured', ''], rows, 1)].join('\n\n')
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {number} left so many columns are words
 */
function table(head, rows, left) {
  const rule = head.map((_, i) => (i < left ? '---' : '---:'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/**
 * @param {number} value
 * @param {number} digits
 */
function number(value, digits) {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
