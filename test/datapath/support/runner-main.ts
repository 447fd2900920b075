/**
 * The process inside the network namespace: runs programs on frames, because the kernel takes
 * interfaces and routes from the namespace of the process that asks for a run.
 */
import { BpfLink, BpfMap, BpfObject, BpfProgram, interfaces } from '../../../native/index.ts'
import type { Answer, Frame, Ran, Request } from './runner.ts'

const index = new Map<string, number>()
/** Held so that they stay attached. */
const links: BpfLink[] = []

/** XDP runs on an interface's queue, which exists only while an XDP program is attached. */
function prepare(objectPath: string): Answer {
  for (const { name, ifindex } of interfaces()) index.set(name, ifindex)
  if (objectPath !== '') attach(objectPath)
  return { devices: Object.fromEntries(index) }
}

function attach(objectPath: string): void {
  using object = BpfObject.load(objectPath, { programs: ['xdp_drop'] })
  using program = object.program('xdp_drop')
  for (const [name, ifindex] of index) {
    if (name !== 'lo' && !name.endsWith('p')) links.push(BpfLink.attachXdp(program, ifindex, 'native'))
  }
}

/* struct xdp_md of <linux/bpf.h>: data, data_end, data_meta, ingress_ifindex, … */
function xdpContext({ data, device }: Frame): Uint8Array {
  return new Uint8Array(Uint32Array.of(0, data.length, 0, index.get(device)!, 0, 0).buffer)
}

/* struct __sk_buff: 48 words. */
function skbContext({ device, gsoSize = 0, gsoSegments = 0 }: Frame): Uint8Array {
  const words = new Uint32Array(48)
  words[36 / 4] = index.get(device)!
  words[40 / 4] = index.get(device)!
  words[164 / 4] = gsoSegments
  words[176 / 4] = gsoSize
  return new Uint8Array(words.buffer)
}

function counts(reasons: BpfMap): bigint[] {
  const { values, count } = reasons.readAll()
  const cpus = reasons.valueStride / 8
  const words = new BigUint64Array(values.slice().buffer)
  return Array.from({ length: count }, (_, row) =>
    words.subarray(row * cpus, (row + 1) * cpus).reduce((sum, word) => sum + word, 0n),
  )
}

/** Each frame in its turn; what it was counted as is the difference it made to the counters. */
function run({
  program: path,
  reasons: reasonsPath,
  frames,
  repeat = 1,
}: Extract<Request, { frames: unknown }>): Answer {
  using program = BpfProgram.openPinned(path)
  const context = program.info.type === 'xdp' ? xdpContext : skbContext
  if (reasonsPath === undefined) {
    return {
      ran: frames.map((frame) => {
        const { retval, data } = program.testRun({ data: frame.data, context: context(frame), repeat })
        return { retval: retval | 0, data, counted: [] }
      }),
    }
  }
  using reasons = BpfMap.openPinned(reasonsPath)
  let before = counts(reasons)
  const ran = frames.map((frame): Ran => {
    const { retval, data } = program.testRun({ data: frame.data, context: context(frame) })
    const after = counts(reasons)
    const counted = after.flatMap((count, row) => Array<number>(Number(count - before[row]!)).fill(row))
    before = after
    return { retval: retval | 0, data, counted }
  })
  return { ran }
}

process.on('message', (request: Request) => {
  try {
    process.send!('prepare' in request ? prepare(request.prepare) : run(request))
  } catch (error) {
    process.send!({ error: String(error) } satisfies Answer)
  }
})
