/**
 * The process in the load balancer's namespace that flips between two generations while a thread of
 * its own sends packets that start connections, as fast as it can. Both read one clock.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { BpfMap, BpfProgram, interfaces } from '../../native/index.ts'
import { places, tcpFrame } from './frames.ts'
import { xdpContext } from './replay.ts'
import { routePorts } from './scenarios.ts'

/** When a packet was sent that met another generation than the one before it, in nanoseconds. */
interface Turn {
  readonly port: number
  readonly done: bigint
  /** When the last packet that met the old generation was sent. */
  readonly lastOldSent: bigint
}

interface Flip {
  readonly port: number
  readonly begun: bigint
  readonly done: bigint
}

export interface FlipResult {
  /** Microseconds that the write took. */
  readonly write: readonly number[]
  /** Microseconds from the write's beginning to the end of the first packet that met the new generation. */
  readonly seen: readonly number[]
  /** Packets sent after the write had returned that met the old generation. */
  readonly late: number
}

interface Job {
  readonly instance: string
  /** Slots of the generations, and the port of the backend that each chooses. */
  readonly generations: readonly { readonly slot: number; readonly port: number }[]
  readonly flips: number
  readonly stop: Int32Array
}

const pins = (instance: string) => join('/sys/fs/bpf/lb', instance)
const now = () => process.hrtime.bigint()
const microseconds = (from: bigint, to: bigint) => Number(to - from) / 1000

/** Packets until told to stop, each of another client port and address. */
function send({ instance, stop }: Job): Turn[] {
  using program = BpfProgram.openPinned(join(pins(instance), 'prog/xdp'))
  const device = interfaces().find(({ name }) => name === 'front0')!
  const frame = tcpFrame('ipv4', 'forward', { flags: 'S', port: routePorts[0], mac: device.mac })
  const view = new DataView(frame.buffer)
  const { address } = places.ipv4.forward
  const first = view.getUint32(address)
  const context = xdpContext(device.ifindex)
  const turns: Turn[] = []
  let before = { port: 0, sent: 0n }
  for (let flow = 0; Atomics.load(stop, 0) === 0; flow++) {
    view.setUint32(address, first + flow)
    const sent = now()
    const { data } = program.testRun({ data: frame, context })
    const done = now()
    const port = (data[36]! << 8) | data[37]!
    if (port !== before.port) turns.push({ port, done, lastOldSent: before.sent })
    before = { port, sent }
  }
  return turns
}

async function flip({ instance, generations, flips }: Job): Promise<Flip[]> {
  using active = BpfMap.openPinned(join(pins(instance), 'active'))
  const done: Flip[] = []
  for (let i = 0; i < flips; i++) {
    const { slot, port } = generations[i % generations.length]!
    const begun = now()
    active.update(new Uint8Array(4), new Uint8Array(Uint32Array.of(slot).buffer))
    done.push({ port, begun, done: now() })
    await sleep(3)
  }
  return done
}

/** The thread may have been off its CPU for all of a generation's time: such a flip it has not seen. */
function match(flips: readonly Flip[], turns: readonly Turn[]): FlipResult {
  const seen: number[] = []
  let late = 0
  for (const [i, { port, begun, done }] of flips.entries()) {
    const end = flips[i + 1]?.begun
    const turn = turns.find((one) => one.port === port && one.done > begun && (!end || one.done < end))
    if (!turn) continue
    seen.push(microseconds(begun, turn.done))
    if (turn.lastOldSent > done) late++
  }
  return { write: flips.map(({ begun, done }) => microseconds(begun, done)), seen, late }
}

async function main(): Promise<void> {
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const job = { ...(JSON.parse(process.argv[2] ?? '') as Omit<Job, 'stop'>), stop }
  const worker = new Worker(new URL(import.meta.url), { workerData: job })
  const turns = new Promise<Turn[]>((resolve, reject) => worker.on('message', resolve).on('error', reject))
  await new Promise((resolve) => worker.once('online', resolve))
  const flips = await flip(job)
  Atomics.store(stop, 0, 1)
  process.stdout.write(JSON.stringify(match(flips, await turns)))
}

if (isMainThread) await main()
else parentPort!.postMessage(send(workerData as Job))
