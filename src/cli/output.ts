/** Text of a plan for people, as `lb plan`, `lb apply` and `lb destroy` show it. */
import { toCanonicalYaml } from '../engine/config/canonical.ts'
import type { ExecutablePlan } from '../engine/model/plan.ts'
import { renderDiff } from '../render/diff.ts'
import type { Palette } from '../render/palette.ts'

/** A unified diff of live and desired configuration, both as canonical YAML. */
export function configDiff({ base, desired, plan }: ExecutablePlan, palette: Palette): string {
  const before = toCanonicalYaml(base.snapshot)
  const after = toCanonicalYaml(desired.snapshot)
  return renderDiff(before, after, {
    before: `live (generation ${plan.live.generation})`,
    after: 'desired',
    palette,
  })
}
