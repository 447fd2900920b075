/** The live state as a document: `lb show --json` writes it, `lb plan --against` plans with it, without a kernel. */
import { LbError } from '../model/errors.ts'
import type { LiveState, ProgramState } from '../model/live.ts'
import type { Json } from '../model/resource.ts'
import type { Attachment, Deployment } from '../model/snapshot.ts'
import { canonicalJson } from './canonical-json.ts'
import { attachments, deployment, drift, generation, sha256, slot } from './model-shapes.ts'
import {
  isObject,
  json,
  listOf,
  nullable,
  oneOf,
  optional,
  readJson,
  readShape,
  record,
  text,
} from './shape.ts'

export const STATE_FORMAT_VERSION = 1

export interface StateDocument {
  readonly formatVersion: typeof STATE_FORMAT_VERSION
  readonly instance: string
  readonly generation: number
  readonly slot: number
  readonly fingerprint: string
  /** The configuration that would make this state. For readers; nothing is computed from it. */
  readonly config: unknown
  /** Those of `deployment`, where people look for them. */
  readonly attachments: readonly Attachment[]
  readonly deployment: Deployment
  readonly drift: LiveState['drift']
  readonly program: ProgramState | null
  /** Of the generation that serves, where it is to be confirmed. For readers. */
  readonly confirmation?: Json | undefined
}

export function stateJson(live: LiveState, config: unknown): StateDocument {
  return {
    formatVersion: STATE_FORMAT_VERSION,
    instance: live.instance,
    generation: live.generation,
    slot: live.slot,
    fingerprint: live.fingerprint,
    config: config ?? null,
    attachments: live.deployment.attachments,
    deployment: live.deployment,
    drift: live.drift,
    program: live.program ?? null,
  }
}

const shape = record<Omit<StateDocument, 'config'> & { readonly config: Json }>({
  formatVersion: oneOf(STATE_FORMAT_VERSION),
  instance: text,
  generation,
  slot,
  fingerprint: text,
  config: json,
  attachments,
  deployment,
  drift: listOf(drift),
  program: nullable(record<ProgramState>({ sha256 })),
  confirmation: optional(json),
})

const WHAT = 'the saved state'
const HINT = 'save it with `lb show --json`'

/**
 * What `makePlan` needs of a live state. What the last apply made is not part of the document, only
 * the drift from it. @throws LbError `input`, naming what is wrong.
 */
export function parseStateJson(source: string): LiveState {
  const value = readJson(source, WHAT, HINT)
  const version = isObject(value) ? value['formatVersion'] : undefined
  if (typeof version === 'number' && version !== STATE_FORMAT_VERSION) {
    throw new LbError(
      'input',
      `${WHAT} has format version ${version}, this lb reads version ${STATE_FORMAT_VERSION}`,
      { hint: `${HINT} of this version` },
    )
  }
  const state = readShape(shape, value, WHAT, HINT)
  if (canonicalJson(state.attachments) !== canonicalJson(state.deployment.attachments)) {
    throw new LbError('input', `${WHAT}: attachments differs from deployment.attachments`, { hint: HINT })
  }
  const { instance, fingerprint, program } = state
  return {
    instance,
    generation: state.generation,
    slot: state.slot,
    fingerprint,
    deployment: state.deployment,
    applied: undefined,
    drift: state.drift,
    program: program ?? undefined,
  }
}
