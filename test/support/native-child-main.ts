/** What a child of `runChild` runs: one function, sent as text, on the addon. */
import { text } from 'node:stream/consumers'
import * as native from '../../native/index.ts'
import type { Body } from './native-child.ts'

const { source, args } = JSON.parse(await text(process.stdin)) as { source: string; args: unknown }

// Only tests of this repository write to this process, which exists to run what they write.
// eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
const body = new Function(`return (${source})`)() as Body<unknown, unknown>

try {
  process.stdout.write(JSON.stringify({ value: await body(native, args) }))
} catch (error) {
  if (!(error instanceof Error)) throw error
  process.stdout.write(JSON.stringify({ error: Object.assign({}, error, { message: error.message }) }))
}
