/** What the programs return and count, by name. */
import { enums } from '../../../src/engine/abi/layout.generated.ts'
import type { Observed } from '../../support/model-compare.ts'
import type { Hook, Verdict } from '../../support/model.ts'
import type { Ran } from './runner.ts'

export const PROGRAMS = { xdp: 'lb_xdp', ingress: 'lb_tc_ingress', egress: 'lb_tc_egress' } as const

const REASONS = new Map(Object.entries(enums.lb_reason).map(([name, row]) => [row as number, name]))

/* XDP_* and TC_ACT_* of <linux/bpf.h> and <linux/pkt_cls.h>. */
const VERDICTS: Readonly<Record<'xdp' | 'tc', Readonly<Record<number, Verdict>>>> = {
  xdp: { 1: 'drop', 2: 'pass', 4: 'redirect' },
  tc: { [-1]: 'pass', 2: 'drop', 7: 'redirect' },
}

export function verdictOf(hook: Hook, retval: number): Verdict {
  const verdict = VERDICTS[hook === 'xdp' ? 'xdp' : 'tc'][retval]
  if (!verdict) throw new Error(`${hook} returned ${retval}`)
  return verdict
}

export function reasonName(row: number): string {
  return REASONS.get(row) ?? `${row}`
}

export function observed(hook: Hook, { retval, data, counted }: Ran): Observed {
  // Exactly one reason for each packet: several names joined match no single one.
  return { verdict: verdictOf(hook, retval), reason: counted.map(reasonName).join('+'), data }
}
