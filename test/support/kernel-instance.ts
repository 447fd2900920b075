/** The life of an instance on a kernel: what the unit tests of the executor see in memory, on a real one. */
import { hex } from '../../src/engine/abi/describe.ts'
import { apply } from '../../src/engine/execute/apply.ts'
import { destroy } from '../../src/engine/execute/destroy.ts'
import { u32 } from '../../src/engine/execute/keys.ts'
import { rollback } from '../../src/engine/execute/rollback.ts'
import { updateRuntime } from '../../src/engine/execute/runtime.ts'
import type { World } from '../../src/engine/execute/world.ts'
import { u32s } from '../../src/engine/live/decode.ts'
import { readWeightLog } from '../../src/engine/live/runtime.ts'
import { readLive } from '../../src/engine/live/read.ts'
import type { LiveState } from '../../src/engine/model/live.ts'
import { instancePaths } from '../../src/engine/model/paths.ts'
import { hasChanges } from '../../src/engine/model/plan.ts'
import type { TargetKey } from '../../src/engine/model/runtime.ts'
import { DEFAULT_SETTINGS } from '../../src/engine/model/snapshot.ts'
import type { Attach, Deployment, Proxy } from '../../src/engine/model/snapshot.ts'
import { resolveAttachments } from '../../src/engine/plan/attachments.ts'
import { makePlan } from '../../src/engine/plan/plan.ts'
import type { KernelPort } from '../../src/engine/ports/kernel.ts'
import { host } from '../../src/kernel/host.ts'

export interface Observed {
  readonly generation: number
  readonly drift: readonly string[]
  readonly links: readonly string[]
  /** Whether a second plan finds nothing to do. */
  readonly settled: boolean
  /** Rows of backend_stats. */
  readonly room: number
  /** Packets counted in row 1, on the first CPU. */
  readonly packets: number
}

const proxyOf = (backends: number): Proxy => ({
  name: 'web',
  listen: { interfaces: ['v0'], address: null, port: 80, protocol: 'tcp' },
  forwarding: 'nat',
  defaultTarget: Array.from({ length: backends }, (_, i) => ({
    ip: `10.0.${i >> 8}.${i & 255}`,
    port: 8080,
    weight: null,
  })),
  sourceRoutes: [],
})

const keyOf = (backend: number): TargetKey => {
  const { name, listen, defaultTarget } = proxyOf(backend + 1)
  const { ip, port } = defaultTarget[backend]!
  return { proxy: name, ip, port, protocol: listen.protocol }
}

export interface Instance {
  apply(backends: number, attach: Attach): Observed
  /** As a version of lb with another object file would. */
  upgrade(backends: number, attach: Attach): Observed
  rollback(to: number): Observed
  /** Counts packets of the backend with row 1. */
  count(packets: number): void
  /** Takes the backend with that number out, as a process of its own would. */
  drain(backend: number): Observed
  /** Writes into the table of selection behind lb's back. */
  damage(entry: number, backend: number): Observed
  /** Entries of the active generation's only list, by backend; and histories of weights, as text. */
  shares(): { readonly entries: readonly number[]; readonly history: readonly string[] }
  destroy(): readonly string[]
}

export function makeInstance(kernel: KernelPort, folder: string): Instance {
  const world: World = { kernel, host, instance: 'one', paths: instancePaths('one', folder) }
  // The port's methods do not use `this`, so a copy with another hash is another version.
  const newer: World = { ...world, kernel: { ...kernel, objectSha256: new Uint8Array(32).fill(9) } }
  return {
    apply: (backends, attach) => applyOn(world, backends, attach),
    upgrade: (backends, attach) => applyOn(newer, backends, attach),
    rollback(to) {
      rollback(world, to, () => undefined)
      return observe(world, readState(world).deployment)
    },
    count(packets) {
      using stats = kernel.openMap(world.paths.map('backend_stats'))
      const value = new BigUint64Array(((stats?.info.valueSize ?? 0) * kernel.possibleCpus) / 8)
      value[0] = BigInt(packets)
      stats?.update(new Uint8Array(Uint32Array.of(1).buffer), new Uint8Array(value.buffer))
    },
    drain(backend) {
      const drain = { state: 'draining', since: 1, deadline: 2, initial: 3 } as const
      updateRuntime({ ...world }, [keyOf(backend)], (old) => ({ ...old, drain }))
      return observe(world, readState(world).deployment)
    },
    damage(entry, backend) {
      using map = kernel.openMap(`${world.paths.generation(readState(world).generation)}/selection`)
      map?.update(u32(entry), u32(backend))
      return observe(world, readState(world).deployment)
    },
    shares() {
      const { generation, deployment } = readState(world)
      const targets = deployment.snapshot.proxies[0]?.defaultTarget ?? []
      using map = kernel.openMap(`${world.paths.generation(generation)}/selection`)
      const run = [...u32s(map?.readAll().values ?? new Uint8Array())]
      return {
        entries: targets.map((_, row) => run.filter((entry) => entry === row).length),
        history: targets.flatMap((_, i) =>
          readWeightLog(kernel, world.paths, keyOf(i)).map(
            ({ from, to, cause }) => `${i}: ${from} ${to} ${cause}`,
          ),
        ),
      }
    },
    destroy() {
      destroy(world, () => undefined)
      return kernel.fs.list(folder) ?? []
    },
  }
}

function readState({ kernel, host: port, instance, paths }: World): LiveState {
  return readLive(kernel, port, instance, paths).live
}

function planOn(world: World, desired: Deployment) {
  const source = { sources: [], configHash: '', program: hex(world.kernel.objectSha256) }
  return makePlan(readState(world), desired, source)
}

function applyOn(world: World, backends: number, attach: Attach): Observed {
  const snapshot = {
    proxies: [proxyOf(backends)],
    interfaces: [{ name: 'v0', attach }],
    settings: DEFAULT_SETTINGS,
  }
  const interfaces = world.kernel.net.interfaces()
  const desired = { snapshot, attachments: resolveAttachments(snapshot, { interfaces, routes: [] }) }
  apply(world, planOn(world, desired), { keep: 8, dryRun: false, onStep: () => undefined })
  return observe(world, desired)
}

function observe(world: World, desired: Deployment): Observed {
  const { kernel, paths } = world
  const { generation, drift } = readState(world)
  using stats = kernel.openMap(paths.map('backend_stats'))
  const row = stats?.lookup(new Uint8Array(Uint32Array.of(1).buffer)) ?? new Uint8Array(8)
  return {
    generation,
    drift: drift.map(({ address }) => address),
    links: kernel.fs.list(paths.linkFolder) ?? [],
    settled: !hasChanges(planOn(world, desired).plan),
    room: stats?.info.maxEntries ?? 0,
    packets: Number(new DataView(row.buffer, row.byteOffset).getBigUint64(0, true)),
  }
}
