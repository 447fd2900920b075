/** That a generation is yet to be confirmed. */
import type { PendingConfirmation } from '../engine/model/confirmation.ts'

/** Text without a final newline. */
export function renderPending({ generation, previous, until, overdue, kind }: PendingConfirmation): string {
  const by = until.replace(/\.[0-9]+Z$/, 'Z')
  const back = previous === 0 ? 'nothing serves any more' : `generation ${previous} serves again`
  if (overdue) {
    return `Generation ${generation} was to be confirmed by ${by}: ${back} with the next \`lb apply\`.`
  }
  return kind === 'asked'
    ? `Generation ${generation} waits for \`lb confirm\` until ${by}: otherwise ${back}.`
    : `Generation ${generation} is being watched until ${by} at most: where its targets turn out sick, ${back}.`
}
