/** The composition root: the one place where the engine meets the kernel, the files and the terminal. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeWorld } from '../engine/execute/world.ts'
import type { World } from '../engine/execute/world.ts'
import { LbError } from '../engine/model/errors.ts'
import type { ProbePort } from '../engine/ports/probe.ts'

/** The folder of package.json: this file runs from src/ in tests and from dist/ when bundled. */
export function packageRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at
    if (at === dirname(at)) throw new LbError('host', 'lb is not installed whole: package.json is missing')
  }
}

export function objectPath(): string {
  return join(packageRoot(), 'build/bpf/lb.bpf.o')
}

/** Loads the addon: only for commands that need the kernel. */
export async function openWorld(instance: string): Promise<World> {
  const [{ createKernel }, { host }] = await Promise.all([
    import('../kernel/kernel.ts'),
    import('../kernel/host.ts'),
  ])
  return makeWorld(createKernel({ objectPath: objectPath() }), host, instance)
}

/** Probes from this host. */
export async function openProber(): Promise<ProbePort> {
  const [{ createDialer }, { createProber }] = await Promise.all([
    import('../kernel/dial.ts'),
    import('../daemon/prober.ts'),
  ])
  return createProber(createDialer())
}
