/** The row of the map `confirm`. */
import type { Confirmation, ConfirmationKind } from '../model/confirmation.ts'
import { enums } from './layout.generated.ts'
import { inverse } from './names.ts'
import { makeRows, rowsOver, structSize } from './struct.ts'

const KINDS = {
  asked: enums.lb_confirm_kind.LB_CONFIRM_ASKED,
  watched: enums.lb_confirm_kind.LB_CONFIRM_WATCHED,
} as const satisfies Record<ConfirmationKind, number>

const kindName = inverse<ConfirmationKind>(KINDS)

export const CONFIRM_SIZE = structSize('lb_confirm')

export function encodeConfirmation({ generation, previous, deadline, kind }: Confirmation): Uint8Array {
  const rows = makeRows('lb_confirm', 1)
  rows.set(0, 'generation', generation)
  rows.set(0, 'previous', previous)
  rows.set(0, 'deadline', deadline)
  rows.set(0, 'kind', KINDS[kind])
  return rows.bytes
}

export function decodeConfirmation(bytes: Uint8Array): Confirmation {
  const rows = rowsOver('lb_confirm', bytes)
  return {
    generation: rows.get(0, 'generation'),
    previous: rows.get(0, 'previous'),
    deadline: rows.get(0, 'deadline'),
    kind: kindName(rows.get(0, 'kind')) ?? 'asked',
  }
}
