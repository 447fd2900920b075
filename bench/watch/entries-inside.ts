/**
 * Looks at a generation's table of selection all the time, and says when it has no entry for a backend any more.
 * A process of its own: what it sees is not to wait for anything.
 */
import { BpfMap } from '../../native/index.ts'
import { structs } from '../../src/engine/abi/layout.generated.ts'

/** When a backend was found to be chosen no more. */
export interface Gone {
  readonly address: string
  /** process.hrtime, which all processes of a host share. */
  readonly atNs: string
}

/** Between two looks. */
const PAUSE_MS = 0.1

const folder = process.argv[2]!
const clock = new Int32Array(new SharedArrayBuffer(4))
const selection = BpfMap.openPinned(`${folder}/selection`)
const words = () => {
  const { values } = selection.readAll()
  return new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4)
}

/** Of each row of `backends`. */
function addresses(): string[] {
  using backends = BpfMap.openPinned(`${folder}/backends`)
  const { count, values } = backends.readAll()
  const { size } = structs.lb_backend
  // IPv4, as the last four bytes of the mapped address.
  return Array.from({ length: count }, (_, row) =>
    values.subarray(row * size + 12, row * size + 16).join('.'),
  )
}

const names = addresses()
const entries = new Uint32Array(names.length)
let before = words()
/** Entries are written one after the other: one that moves may be gone for a moment. When it was first missed. */
let missed = new Map<number, string>()
for (const row of before) entries[row]! += 1
process.stdout.write('ready\n')

for (;;) {
  Atomics.wait(clock, 0, 0, PAUSE_MS)
  const now = words()
  const atNs = process.hrtime.bigint().toString()
  const lost = new Set<number>()
  for (let i = 0; i < now.length; i++) {
    const [from, to] = [before[i]!, now[i]!]
    if (from === to) continue
    entries[from]! -= 1
    entries[to]! += 1
    lost.add(from)
  }
  before = now
  for (const [row, at] of missed) {
    if (entries[row] !== 0) continue
    process.stdout.write(`${JSON.stringify({ address: names[row]!, atNs: at } satisfies Gone)}\n`)
  }
  const gone = [...lost].filter((row) => entries[row] === 0)
  missed = new Map(gone.map((row) => [row, atNs]))
}
