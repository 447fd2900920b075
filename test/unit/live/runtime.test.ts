import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  encodeRuntime,
  encodeRuntimeKey,
  PENDING_KEY,
  RUNTIME_SIZE,
} from '../../../src/engine/abi/runtime.ts'
import { decodeAgain, decodeRuntimes } from '../../../src/engine/live/runtime.ts'
import { instancePaths } from '../../../src/engine/model/paths.ts'
import { FRESH_RUNTIME } from '../../../src/engine/model/runtime.ts'
import type { Entries } from '../../../src/engine/ports/kernel.ts'

/** Rows of the map: a target by its number, or the mark that a change was begun, and since when it is unhealthy. */
const row = fc.record({ target: fc.constantFrom(0, 1, 2, 3, null), since: fc.constantFrom(1, 2) })
const rows = fc.uniqueArray(row, { maxLength: 5, selector: ({ target }) => target })

function entriesOf(given: readonly { readonly target: number | null; readonly since: number }[]): Entries {
  const join = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
  return {
    count: given.length,
    keys: join(
      given.map(({ target }) =>
        target === null
          ? PENDING_KEY
          : encodeRuntimeKey({ proxy: 'web', ip: `10.0.0.${target}`, port: 80, protocol: 'tcp' }),
      ),
    ),
    values: join(
      given.map(({ target, since }) =>
        target === null
          ? new Uint8Array(RUNTIME_SIZE)
          : encodeRuntime({ ...FRESH_RUNTIME, health: { state: 'unhealthy', since, recovery: 1 } }),
      ),
    ),
  }
}

test('reading again what has changed here and there gives what reading it for the first time does', () => {
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 6 }), (readings) => {
      const paths = instancePaths('test-runtime')
      for (const reading of readings) {
        const { runtimes, pending } = decodeAgain(paths, entriesOf(reading))
        const afresh = decodeRuntimes(entriesOf(reading))
        expect({ runtimes, pending }).toEqual({ runtimes: afresh.runtimes, pending: afresh.pending })
      }
    }),
  )
})

test('what is as it was is the same object', () => {
  const paths = instancePaths('test-runtime')
  const [one, other] = [{ target: 1, since: 1 }, { target: 2, since: 1 }] // prettier-ignore
  const first = decodeAgain(paths, entriesOf([one, other])).runtimes
  expect(decodeAgain(paths, entriesOf([one, other])).runtimes).toBe(first)
  const second = decodeAgain(paths, entriesOf([one, { ...other, since: 2 }])).runtimes
  const [kept, changed] = [...first.keys()]
  expect(second.get(kept!)).toBe(first.get(kept!))
  expect(second.get(changed!)).not.toEqual(first.get(changed!))
})
