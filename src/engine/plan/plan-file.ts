/** Saved plans: what was shown is what will be carried out, so a file that was changed since is refused. */
import { LbError } from '../model/errors.ts'
import type { ExecutablePlan } from '../model/plan.ts'
import { canonicalJson } from './canonical-json.ts'
import { deployment, plan } from './model-shapes.ts'
import { isObject, listOf, oneOf, readJson, readShape, record, text } from './shape.ts'

const KIND = 'lb-plan'
export const PLAN_FILE_VERSION = 1

/** SHA-256 in hex over the parts: `HostPort.digest`. */
export type Digest = (parts: readonly string[]) => string

interface PlanFile extends ExecutablePlan {
  readonly formatVersion: typeof PLAN_FILE_VERSION
  readonly kind: typeof KIND
  /** Of all other members, as canonical JSON. Against accidents: whoever can write the file can write this too. */
  readonly checksum: string
}

const shape = record<PlanFile>({
  formatVersion: oneOf(PLAN_FILE_VERSION),
  kind: oneOf(KIND),
  plan,
  base: deployment,
  desired: deployment,
  sources: listOf(text),
  configHash: text,
  checksum: text,
})

const WHAT = 'the plan file'
const HINT = 'make a new one with `lb plan -o`'

export function writePlanFile(executable: ExecutablePlan, digest: Digest): string {
  const { plan, base, desired, sources, configHash } = executable
  const content = {
    formatVersion: PLAN_FILE_VERSION,
    kind: KIND,
    plan,
    base,
    desired,
    sources,
    configHash,
  }
  return `${JSON.stringify({ ...content, checksum: digest([canonicalJson(content)]) }, null, 2)}\n`
}

/** @throws LbError `input` for anything that `writePlanFile` of this version did not write just so. */
export function readPlanFile(source: string, digest: Digest): ExecutablePlan {
  const value = readJson(source, WHAT, HINT)
  if (!isObject(value) || value['kind'] !== KIND) {
    throw new LbError('input', 'this is not a plan file', { hint: HINT })
  }
  if (value['formatVersion'] !== PLAN_FILE_VERSION) {
    const version = JSON.stringify(value['formatVersion']) as string | undefined
    throw new LbError(
      'input',
      `${WHAT} has format version ${version ?? 'missing'}, this lb reads version ${PLAN_FILE_VERSION}`,
      { hint: `apply it with the lb that made it, or ${HINT}` },
    )
  }
  const { checksum, ...content } = value
  if (checksum !== digest([canonicalJson(content)])) {
    throw new LbError('input', `${WHAT} was changed after lb wrote it: its checksum is wrong`, { hint: HINT })
  }
  const { plan, base, desired, sources, configHash } = readShape(shape, value, WHAT, HINT)
  return { plan, base, desired, sources, configHash }
}
