import { BpfMap } from '../../native/index.ts'
import { firstAddress } from './frames.ts'

const KEY_SIZE = 16
const VALUE_SIZE = 40
/** As bench/bpf/replay.bpf.c numbers clients. */
const CLIENTS = 2 ** 17

/** A hash as large as a connection table of IPv4 for so many connections, with rows for some flows. */
export function tableOf(connections: number, flows: number): BpfMap {
  const table = BpfMap.create({
    type: 'hash',
    name: 'replay_table',
    keySize: KEY_SIZE,
    valueSize: VALUE_SIZE,
    maxEntries: 2 * connections,
  })
  const keys = new DataView(new ArrayBuffer(flows * KEY_SIZE))
  for (let flow = 0; flow < flows; flow++) {
    keys.setUint32(flow * KEY_SIZE, firstAddress.ipv4 + (flow % CLIENTS))
    keys.setUint16(flow * KEY_SIZE + 4, 1024 + Math.floor(flow / CLIENTS) * 4099 + (flow & 4095))
  }
  table.updateBatch(new Uint8Array(keys.buffer), new Uint8Array(flows * VALUE_SIZE))
  return table
}
