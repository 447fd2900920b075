import { BpfMap } from '../../native/index.ts'
import { structSize } from '../../src/engine/abi/struct.ts'
import { firstAddress } from './frames.ts'

const KEY_SIZE = structSize('lb_conn4_key')
const VALUE_SIZE = structSize('lb_conn4')
/** As bench/bpf/replay.bpf.c numbers clients. */
const CLIENTS = 2 ** 17

/** A hash as large as a connection table of IPv4 for so many connections, with both rows of some flows. */
export function tableOf(connections: number, flows: number): BpfMap {
  const table = BpfMap.create({
    type: 'hash',
    name: 'replay_table',
    keySize: KEY_SIZE,
    valueSize: VALUE_SIZE,
    maxEntries: 2 * connections,
  })
  const rows = 2 * flows
  const keys = new DataView(new ArrayBuffer(rows * KEY_SIZE))
  for (let row = 0; row < rows; row++) {
    const flow = row >> 1
    keys.setUint32(row * KEY_SIZE, firstAddress.ipv4 + (flow % CLIENTS))
    keys.setUint16(row * KEY_SIZE + 4, 1024 + Math.floor(flow / CLIENTS) * 4099 + (flow & 4095))
    keys.setUint8(row * KEY_SIZE + 6, row & 1)
  }
  table.updateBatch(new Uint8Array(keys.buffer), new Uint8Array(rows * VALUE_SIZE))
  return table
}
