/** What a data plane remembers and has counted, held against the model. */
import {
  backendName,
  NO_TALLY,
  type Configuration,
  type Connection,
  type Endpoint,
  type Model,
} from '../../support/model.ts'
import type { Plane } from './plane.ts'
import type { ConnectionRow } from './records.ts'
import { backendRows } from './tables.ts'

const PROTOCOLS = { tcp: 6, udp: 17 } as const

type Half = Omit<ConnectionRow, 'family' | 'lastSeen' | 'stats'> & { readonly stats: number | undefined }

/** As text that reads well in a failure. */
function half(row: Half): string {
  const end = ({ ip, port }: Endpoint): string => `${ip} ${port}`
  return `${end(row.source)} > ${end(row.destination)} proto ${row.protocol}: ${row.reverse ? 'reverse' : 'forward'} ${end(row.nat)} ${row.state} packets ${row.packets} bytes ${row.bytes} stats ${row.stats}`
}

function halvesOf(c: Connection, stats: number | undefined): string[] {
  const shared = { protocol: PROTOCOLS[c.protocol], state: c.state, stats }
  return [
    half({
      ...shared,
      source: c.client,
      destination: c.listener,
      nat: c.backend,
      reverse: false,
      packets: c.packets.client,
      bytes: c.bytes.client,
    }),
    half({
      ...shared,
      source: c.backend,
      destination: c.client,
      nat: c.listener,
      reverse: true,
      packets: c.packets.backend,
      bytes: c.bytes.backend,
    }),
  ]
}

/** Sentences about every record and counter that is not as the model has it; none where all are. */
export function stateDifferences(plane: Plane, model: Model, configuration: Configuration): string[] {
  const backends = backendRows(configuration)
  const rowOf = new Map(backends.map((backend, row) => [backendName(backend, backend.protocol), row]))
  const wanted = model.connections.flatMap((c) => halvesOf(c, rowOf.get(backendName(c.backend, c.protocol))))
  const got = plane.connections().map(half)
  const found = [
    ...without(wanted, got).map((text) => `missing: ${text}`),
    ...without(got, wanted).map((text) => `unexpected: ${text}`),
  ]
  const live = plane.live()
  if (live !== model.connections.length) found.push(`${live} connections, not ${model.connections.length}`)
  for (const [name, row] of rowOf) {
    const counted = plane.counters(row)
    const due = model.tallies.get(name) ?? NO_TALLY
    for (const key of Object.keys(NO_TALLY) as (keyof typeof NO_TALLY)[]) {
      if (counted[key] !== due[key]) found.push(`${name}: ${key} ${counted[key]}, not ${due[key]}`)
    }
  }
  return found
}

/** Those of `these` that are not among `those`, one for one. */
function without(these: readonly string[], those: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const text of those) left.set(text, (left.get(text) ?? 0) + 1)
  return these.filter((text) => {
    const count = left.get(text) ?? 0
    left.set(text, count - 1)
    return count <= 0
  })
}
