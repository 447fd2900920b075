/** What becomes of the connections of removed targets, under the keys of the configuration language. */
import type { Proxy } from './snapshot.ts'

type Policy = Pick<Proxy, 'endRemovedAfterSec'>

/** None where they live on until they end, as usual. */
export interface OnRemoveKeys {
  readonly onRemove?: 'keep' | 'reset'
  readonly onRemoveDeadlineSec?: number
}

export function onRemoveKeys({ endRemovedAfterSec: seconds }: Policy): OnRemoveKeys {
  if (seconds === undefined) return {}
  return seconds === 0 ? { onRemove: 'reset' } : { onRemove: 'keep', onRemoveDeadlineSec: seconds }
}
