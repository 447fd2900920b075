/**
 * The process inside the network namespace: runs programs on frames, because the kernel takes
 * interfaces and routes from the namespace of the process that asks for a run.
 */
import { BpfMap, BpfProgram } from '../../../native/index.ts'
import { answer } from '../../support/answer.ts'
import { prepareDevices, skbContext, xdpContext, type Devices } from './inside.ts'
import type { Answer, Ran, Request, RunRequest } from './runner.ts'

let devices: Devices = {}

function prepare(idleObject: string): Answer {
  devices = prepareDevices(idleObject)
  return { devices }
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
function run({ program: path, reasons: reasonsPath, frames, repeat = 1 }: RunRequest): Answer {
  using program = BpfProgram.openPinned(path)
  const context = program.info.type === 'xdp' ? xdpContext : skbContext
  if (reasonsPath === undefined) {
    return {
      ran: frames.map((frame) => {
        const { retval, data } = program.testRun({
          data: frame.data,
          context: context(frame, devices),
          repeat,
        })
        return { retval: retval | 0, data, counted: [] }
      }),
    }
  }
  using reasons = BpfMap.openPinned(reasonsPath)
  let before = counts(reasons)
  const ran = frames.map((frame): Ran => {
    const { retval, data } = program.testRun({ data: frame.data, context: context(frame, devices) })
    const after = counts(reasons)
    const counted = after.flatMap((count, row) => Array<number>(Number(count - before[row]!)).fill(row))
    before = after
    return { retval: retval | 0, data, counted }
  })
  return { ran }
}

answer((request: Request) => ('prepare' in request ? prepare(request.prepare) : run(request)))
