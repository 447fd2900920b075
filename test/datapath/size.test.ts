import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BpfMap, BpfObject } from '../../native/index.ts'
import { structSize } from '../../src/engine/abi/struct.ts'
import { OBJECT } from './support/dataplane.ts'

/** Bytes of kernel memory that a map has been charged for. */
function memory(map: BpfMap): number {
  const [, bytes] = /^memlock:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${map.fd}`, 'utf8')) ?? []
  return Number(bytes)
}

test.each([
  [4, 256],
  [6, 320],
] as const)('a connection over IPv%i takes at most %i bytes', (family, limit) => {
  const connections = 100_000
  const partitions = 8
  using partition = BpfMap.create({
    type: 'hash',
    name: 'conn',
    keySize: structSize(`lb_conn${family}_key`),
    valueSize: structSize(`lb_conn${family}`),
    // Two halves, and 2 % more because a hash does not fill partitions evenly.
    maxEntries: (2 * connections * 1.02) / partitions,
  })
  expect((memory(partition) * partitions) / connections).toBeLessThanOrEqual(limit)
})

/**
 * What the verifier walks when it loads each program. It refuses a million; a program that comes near
 * is one that a newer compiler or kernel may refuse, and takes long to load. Raise a limit knowingly.
 */
test.each([0, 8])(
  'programs stay simple enough for the verifier, with %i partitions of another set',
  (others) => {
    const limits = { lb_xdp: 60_000, lb_tc_ingress: 60_000, lb_tc_egress: 10_000, lb_sweep_start: 105_000 }
    using object = BpfObject.load(OBJECT, {
      constants: { lb_conn_other_partitions: new Uint8Array(Uint32Array.of(others).buffer) },
    })
    expect([...object.programNames].sort()).toEqual(Object.keys(limits).sort())
    for (const [name, limit] of Object.entries(limits)) {
      using program = object.program(name)
      expect(program.info.verifiedInsns, name).toBeLessThan(limit)
    }
  },
)
