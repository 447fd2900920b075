/**
 * The kernel's side of the fake: plain data, so that `structuredClone` copies a whole host. What is
 * reached from no pin and no open descriptor does not exist.
 */
import type { NetInterface, NetRoute } from '../../src/engine/model/host.ts'
import type { Hook, LockHolder, MapSpec } from '../../src/engine/ports/kernel.ts'
import { translate } from '../../src/kernel/errors.ts'

export interface FakeMapShape {
  readonly type: MapSpec['type'] | 'array_of_maps'
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: MapSpec['flags']
}

export interface FakeMap extends FakeMapShape {
  readonly kind: 'map'
  readonly id: number
  readonly name: string
  /** For maps of maps: what the inner ones must be like. */
  readonly template: FakeMapShape | undefined
  /** By key, as Latin-1; an array has those entries that were ever written. */
  readonly entries: Map<string, Uint8Array | FakeMap>
  frozen: boolean
  /** The program whose code the timer in this map runs. */
  timer: FakeProgram | undefined
}

export interface FakeProgram {
  readonly kind: 'program'
  readonly id: number
  readonly name: string
  /** SHA-256, in hex, of the object that it came from. */
  readonly object: string
  readonly maps: Readonly<Record<string, FakeMap>>
}

export interface FakeLink {
  readonly kind: 'link'
  readonly id: number
  readonly ifindex: number
  readonly hook: Hook
  program: FakeProgram
}

export interface FakeFolder {
  readonly kind: 'folder'
  readonly inode: number
  readonly children: Map<string, FakeNode>
}

export type FakeObject = FakeMap | FakeProgram | FakeLink
export type FakeNode = FakeFolder | FakeObject

export interface FakeState {
  readonly root: FakeFolder
  nextId: number
  interfaces: readonly NetInterface[]
  /** By address; there is no route to others. */
  routes: Readonly<Record<string, NetRoute>>
  /** By the inode of the folder. */
  readonly locks: Map<number, LockHolder>
}

/** Where the fake's bpf file system is mounted. */
export const MOUNT = '/sys/fs/bpf'
export const POSSIBLE_CPUS = 2

/** An interface with what matters to the engine; `xdp` where the driver has it. */
export function fakeInterface(
  name: string,
  ifindex: number,
  options: Partial<NetInterface> = {},
): NetInterface {
  return {
    name,
    ifindex,
    driver: 'veth',
    up: true,
    mtu: 1500,
    mac: '',
    offloads: {},
    xdpProgram: undefined,
    xdp: undefined,
    ...options,
  }
}

const NATIVE_XDP = { native: true, redirect: true, xmit: true }

/** A host with a card that does XDP, two software devices and routes to none but what tests add. */
export function fakeState(options: Partial<Pick<FakeState, 'interfaces' | 'routes'>> = {}): FakeState {
  return {
    root: { kind: 'folder', inode: 1, children: new Map() },
    nextId: 100,
    interfaces: options.interfaces ?? [
      fakeInterface('lo', 1, { driver: '' }),
      fakeInterface('eth0', 2, { driver: 'virtio_net', xdp: NATIVE_XDP }),
      fakeInterface('eth1', 3),
      fakeInterface('eth0.100', 4, { driver: '802.1Q VLAN Support' }),
      fakeInterface('100%"up"', 5),
    ],
    routes: options.routes ?? {},
    locks: new Map(),
  }
}

export function newId(state: FakeState): number {
  return state.nextId++
}

/** The failure of a system call, as the adapter of the real kernel reports it. */
export function errno(code: string, what: string): unknown {
  return translate(Object.assign(new Error(`${what} (${code})`), { code, errno: 0, syscall: 'fake' }))
}

export function findNode(state: FakeState, path: string): FakeNode | undefined {
  if (path === MOUNT) return state.root
  if (!path.startsWith(`${MOUNT}/`)) return undefined
  let node: FakeNode | undefined = state.root
  for (const name of path.slice(MOUNT.length + 1).split('/')) {
    node = node?.kind === 'folder' ? node.children.get(name) : undefined
  }
  return node
}

/** The folder that a path's last part is in. */
export function parentOf(state: FakeState, path: string): { folder: FakeFolder; name: string } {
  const slash = path.lastIndexOf('/')
  const folder = findNode(state, path.slice(0, slash))
  if (!folder) throw errno('ENOENT', path)
  if (folder.kind !== 'folder') throw errno('ENOTDIR', path)
  return { folder, name: path.slice(slash + 1) }
}

/** Every pin under a node, by path, in the order of the paths. */
export function pinsUnder(node: FakeNode, path: string): [string, FakeObject][] {
  if (node.kind !== 'folder') return [[path, node]]
  return [...node.children.keys()]
    .sort()
    .flatMap((name) => pinsUnder(node.children.get(name)!, `${path}/${name}`))
}

export function linksOf(state: FakeState): FakeLink[] {
  return pinsUnder(state.root, MOUNT).flatMap(([, object]) => (object.kind === 'link' ? [object] : []))
}
