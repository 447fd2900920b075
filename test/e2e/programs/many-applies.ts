/**
 * Applies and rolls back through the library, in one process. Arguments: the instance and the data
 * plane's object file. Each line on its standard input says how many operations are to follow, and is
 * answered with a line of JSON: what this process's heap holds then. It ends with its standard input.
 */
import { createInterface } from 'node:readline'
import {
  apply,
  createKernel,
  host,
  loadConfig,
  makePlan,
  makeWorld,
  readLive,
  resolveAttachments,
  resolveSnapshot,
  rollback,
  targetAddresses,
  withLock,
  type Snapshot,
  type World,
} from '../../../src/index.ts'
import { changingConfig } from '../support/changing-config.ts'

/** Bytes, after all garbage is collected. */
export interface Heap {
  readonly used: number
  /** Of buffers, and of what the addon hands out. */
  readonly external: number
}

const [instance = '', objectPath = ''] = process.argv.slice(2)
const kernel = createKernel({ objectPath })
// The port's methods do not use `this`, so a copy with another hash is another version of lb.
const other = { ...kernel, objectSha256: kernel.objectSha256.map((byte) => byte ^ 0xff) }
const worlds = [kernel, other].map((port) => makeWorld(port, host, instance))
const lock = { wait: false, onWait: () => undefined, pause: () => Promise.resolve() }
const quiet = () => undefined

/** For every five operations, whether it is an apply; the others are rollbacks. */
const APPLIES = [true, true, false, true, false]
/** Then the other version of lb goes on. */
const OPERATIONS_OF_A_VERSION = 250

let operations = 0
let applies = 0

async function next(): Promise<void> {
  const world = worlds[Math.floor(operations / OPERATIONS_OF_A_VERSION) % worlds.length]!
  const isApply = APPLIES[operations % APPLIES.length]!
  operations += 1
  await withLock(world, lock, () => {
    if (isApply) applyTo(world, readConfig(applies++))
    else rollback(world, undefined, quiet)
  })
}

function readConfig(count: number): Snapshot {
  const text = JSON.stringify(changingConfig(count))
  const loaded = loadConfig([{ file: 'lb.json', format: 'json', text }])
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join())
  const resolved = resolveSnapshot(loaded.snapshot, new Map())
  if (!resolved.ok) throw new Error('there are no names in it')
  return resolved.snapshot
}

function applyTo(world: World, snapshot: Snapshot): void {
  const { kernel: port, paths } = world
  const routes = port.net.routes(targetAddresses(snapshot))
  const interfaces = port.net.interfaces()
  const desired = { snapshot, attachments: resolveAttachments(snapshot, { interfaces, routes }) }
  const { live } = readLive(port, host, instance, paths)
  const program = Buffer.from(port.objectSha256).toString('hex')
  const plan = makePlan(live, desired, { sources: ['lb.json'], configHash: '', program })
  apply(world, plan, { keep: 3, dryRun: false, onStep: quiet })
}

async function heap(): Promise<Heap> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('needs node --expose-gc')
  // What is finalised in one turn may set free more for the next.
  for (let turn = 0; turn < 3; turn += 1) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return { used: heapUsed, external }
}

for await (const line of createInterface({ input: process.stdin })) {
  for (let left = Number(line); left > 0; left -= 1) {
    await next()
    // What the collector has found is set free between turns of the loop.
    await new Promise((resolve) => setImmediate(resolve))
  }
  console.log(JSON.stringify(await heap()))
}
