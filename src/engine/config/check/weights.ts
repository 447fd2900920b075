import type { Problem } from '../../model/problem.ts'
import type { DraftTargets } from '../draft.ts'
import { type ParsedSource, problemAt, spell } from '../source.ts'

const SUM = 100

/** Either no target of a list has a weight, or all have one and the weights add up to 100. */
export function checkWeights(source: ParsedSource, { node, targets }: DraftTargets): Problem[] {
  if (!targets.some(({ weighted }) => weighted)) return []
  const without = targets.filter(({ weighted }) => !weighted)
  const key = `\`${spell(source, 'weight')}\``
  if (without.length > 0) {
    const [first] = without
    const others = without.length > 1 ? ` (nor have ${without.length - 1} more of this list)` : ''
    const message = `This target has no ${key}${others}, but others of its list have one`
    const hint = 'Give all targets of a list a weight, or none.'
    return first === undefined
      ? []
      : [problemAt({ source, span: first.node }, 'weight-missing', message, { hint })]
  }
  const weights = targets.map(({ weight }) => weight?.value).filter((weight) => weight !== undefined)
  // Elements that are missing or refused have been reported, and make the sum meaningless.
  const elements = node.kind === 'list' ? node.items.length : 1
  if (weights.length < elements) return []
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (sum === SUM) return []
  const [first] = targets
  const span = first?.weight ?? node
  const message =
    targets.length === 1
      ? `The ${key} of the only target is ${sum}, not ${SUM}`
      : `The weights of these ${targets.length} targets add up to ${sum}, not ${SUM}`
  return [problemAt({ source, span }, 'weight-sum', message, { hint: sumHint(weights, sum) })]
}

function sumHint(weights: readonly number[], sum: number): string {
  if (weights.length === 1) return 'It gets all connections anyway: leave the weight out.'
  const equally = 'leave all weights out to share equally.'
  if (weights.length > SUM) return `More than ${SUM} targets cannot have weights: ${equally}`
  const scaled = scale(weights, sum)
  if (scaled.length > 10) return `Weights are percentages: adjust them, or ${equally}`
  return `Weights are percentages. In the same proportions: ${scaled.join(', ')}. Or ${equally}`
}

/** Whole percentages, at least 1 each, that come closest to the proportions of `weights`. */
export function scale(weights: readonly number[], sum: number): number[] {
  const exact = weights.map((weight) => (weight * SUM) / sum)
  const scaled = exact.map((share) => Math.max(1, Math.floor(share)))
  let rest = SUM - scaled.reduce((total, share) => total + share, 0)
  while (rest !== 0) {
    const step = Math.sign(rest)
    const errors = exact.map((share, i) =>
      step < 0 && scaled[i] === 1 ? -Infinity : step * (share - scaled[i]!),
    )
    const worst = errors.indexOf(Math.max(...errors))
    scaled[worst]! += step
    rest -= step
  }
  return scaled
}
