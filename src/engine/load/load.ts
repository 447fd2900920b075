/**
 * Least connections: targets with many connections get fewer new ones. A target's capacity is its weight,
 * or 1 where weights are not to count, by one more than its connections; its share of new connections is
 * to be in proportion to that. Shares are made of the configured weight times a factor, so the factor is
 * capacity by weight; the largest one of a group is LOAD_ONE.
 *
 * Connections then settle at numbers that are as the square roots of weight times how long one takes: a
 * target that takes four times as long has twice the connections, not four times. A target that is in
 * several lists has one factor for all: with weights that count, its weight has no part in it.
 */
import { LOAD_ONE } from '../model/runtime.ts'

export interface LoadedTarget {
  /** Configured: 1 to 100; `null` on all of a group: they share equally. */
  readonly weight: number | null
  /** That are not over yet: activeConnections() of its counters. */
  readonly connections: number
  /** The factor that holds now; LOAD_ONE where there is none. */
  readonly load: number
}

/** Factors that hold are kept while no share of a target would change by more than this part of itself. */
export const TOLERANCE = 0.05

/**
 * The factors of a group's targets, in their order, 1 to LOAD_ONE. All of them are as they were, or all are
 * new: they only mean something together.
 */
export function loadFactors(targets: readonly LoadedTarget[], weighted: boolean): readonly number[] {
  const held = targets.map(({ load }) => load)
  const wanted = factorsOf(targets, weighted)
  const weights = targets.map(({ weight }) => weight ?? 1)
  const before = sharesOf(weights, held)
  const after = sharesOf(weights, wanted)
  const near = after.every((share, i) => Math.abs(share - before[i]!) <= TOLERANCE * before[i]!)
  return near ? held : wanted
}

function factorsOf(targets: readonly LoadedTarget[], weighted: boolean): number[] {
  const factors = targets.map(
    ({ weight, connections }) => 1 / (1 + connections) / (weighted ? 1 : (weight ?? 1)),
  )
  const largest = Math.max(...factors)
  return factors.map((factor) => Math.max(1, Math.round((factor / largest) * LOAD_ONE)))
}

function sharesOf(weights: readonly number[], factors: readonly number[]): number[] {
  const products = weights.map((weight, i) => weight * factors[i]!)
  const sum = products.reduce((a, b) => a + b, 0)
  return products.map((product) => product / sum)
}
