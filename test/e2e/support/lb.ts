import { rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { Settings } from '../../../src/engine/model/snapshot.ts'
import { structs } from '../../../src/engine/abi/layout.generated.ts'
import { createLab, httpPort, type Lab } from '../../support/netns.ts'
import { type CliOptions } from '../../support/lab/lab.ts'
import { type Host } from '../../support/lab/host.ts'
import { type Shape, vip } from '../../support/lab/topology.ts'
import { dump, row, update } from './bpftool.ts'

export const pins = (lab: Lab, ...path: string[]): string =>
  ['/sys/fs/bpf/lb', lab.instance, ...path].join('/')

/** A lab for all tests of a file; each starts with nothing applied. */
export function useLab(shape: Shape = {}): () => Lab {
  let lab: Lab | undefined
  beforeAll(async () => {
    lab = await createLab(shape)
  })
  afterEach(() => {
    if (lab) rmSync(pins(lab), { recursive: true, force: true })
  })
  afterAll(() => lab?.[Symbol.asyncDispose]())
  return () => {
    if (lab === undefined) throw new Error('the lab is made in beforeAll')
    return lab
  }
}

export interface Target {
  readonly ip: string
  readonly port: number
  readonly weight?: number
}

export interface Proxy {
  readonly name: string
  readonly listen: {
    readonly interfaces: readonly string[]
    readonly address?: string
    readonly port: number
    readonly protocol?: 'tcp' | 'udp'
  }
  readonly defaultTarget: readonly Target[]
  readonly sourceRoutes?: readonly { readonly source: string; readonly targets: readonly Target[] }[]
}

export interface Config {
  readonly version: 1
  readonly proxies: readonly Proxy[]
  readonly interfaces?: Readonly<Record<string, { readonly attach: string }>>
  readonly settings?: Partial<Settings>
}

export function targets(
  hosts: readonly Host[],
  { weights, port = httpPort, family = 'ipv4' }: TargetOptions = {},
): Target[] {
  return hosts.map(({ address }, i) => {
    const weight = weights?.[i]
    return { ip: address[family], port, ...(weight !== undefined && { weight }) }
  })
}

interface TargetOptions {
  readonly weights?: readonly number[]
  readonly port?: number
  readonly family?: 'ipv4' | 'ipv6'
}

/** A proxy on the service address, port 80 unless `over` says otherwise. */
export function proxy(
  name: string,
  defaultTarget: readonly Target[],
  listen: Partial<Proxy['listen']> = {},
): Proxy {
  return {
    name,
    listen: { interfaces: ['front0'], address: vip.ipv4, port: 80, ...listen },
    defaultTarget,
  }
}

/** A proxy that takes packets to any address. */
export function anyAddress({ listen: { address: _, ...listen }, ...rest }: Proxy): Proxy {
  return { ...rest, listen }
}

export function config(proxies: readonly Proxy[], rest: Partial<Config> = {}): Config {
  return { version: 1, proxies, ...rest }
}

/** All backends of the lab behind the service address. */
export function web(lab: Lab, weights?: readonly number[], rest: Partial<Config> = {}): Config {
  return config([proxy('web', targets(lab.backends, weights && { weights }))], rest)
}

/** Writes a configuration where lb looks for it, and applies it. */
export function apply(
  lab: Lab,
  content: Config,
  args: readonly string[] = [],
  options: CliOptions = {},
): Promise<string> {
  lab.write('lb.yaml', content)
  return lab.lbMust(['apply', '--yes', ...args], options)
}

export interface Plan {
  /** A change that takes itself back unless it is confirmed; `null`: there is none. */
  readonly confirmation: unknown
  /** Connections of targets that go. */
  readonly removals: readonly unknown[]
  readonly formatVersion: number
  readonly instance: string
  readonly live: { readonly generation: number; readonly fingerprint: string }
  readonly changes: readonly Change[]
  readonly drift: readonly (Change & { readonly where: string })[]
  readonly summary: { readonly create: number; readonly update: number; readonly delete: number }
}

export interface Change {
  readonly address: string
  readonly action: 'create' | 'update' | 'delete'
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
}

/** The plan for the configuration in the lab's folder. */
export async function plan(lab: Lab): Promise<Plan> {
  return JSON.parse(await lab.lbMust(['plan', '--json'])) as Plan
}

export interface Raw {
  readonly generation: number
  readonly reasons: Readonly<Record<string, number>>
  readonly backends: Readonly<Record<string, { readonly opened: number; readonly closed: number }>>
  readonly links: readonly { readonly pin: string; readonly ifindex: number; readonly programId: number }[]
}

export async function raw(lab: Lab): Promise<Raw> {
  return JSON.parse(await lab.lbMust(['show', '--raw'])) as Raw
}

/** Makes the instance one of another version of lb, with programs of another object file. */
export async function makeForeign(lab: Lab): Promise<void> {
  const { offset, size } = structs.lb_meta.fields.object_sha256
  const [meta] = await dump(pins(lab, 'meta'))
  const value = meta!.value.map((byte, i) => (i >= offset && i < offset + size ? 0xab : byte))
  await update(pins(lab, 'meta'), { key: row(0), value })
}

/** Connections that the kernel has records of. */
export async function liveConnections(lab: Lab): Promise<number> {
  const { backends } = await raw(lab)
  return Object.values(backends).reduce((sum, { opened, closed }) => sum + opened - closed, 0)
}

/** Who answers one request to the service address. */
export async function ask(lab: Lab, port = 80): Promise<string> {
  const { code, stdout, stderr } = await lab.client.curl(`http://${vip.ipv4}:${port}/`)
  if (code !== 0) throw new Error(`curl: ${code} ${stderr}`)
  return stdout.trim()
}
