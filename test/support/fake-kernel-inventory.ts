/** What is on a fake host, for comparing: what packets see, and everything that exists. */
import { TABLE_NAMES } from '../../src/engine/abi/tables.ts'
import { linksOf, MOUNT, pinsUnder } from './fake-kernel-state.ts'
import type { FakeMap, FakeObject, FakeProgram, FakeState } from './fake-kernel-state.ts'

const FIRST = '\0\0\0\0'
const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** What a map holds, the same text for the same contents. Entries of zeros are not told from none. */
function contentOf(map: FakeMap): string {
  const entries: string[] = []
  for (const [key, value] of map.entries) {
    if (!('kind' in value) && value.some((byte) => byte !== 0)) entries.push(`${key}=${latin1(value)}`)
  }
  return `${map.type}[${map.type.endsWith('array') ? map.maxEntries : ''}] ${entries.sort().join(' ')}`
}

export interface HookView {
  /** `2 xdp`: interface and hook. */
  readonly hook: string
  /** Of which object the program is. */
  readonly object: string
  /** All tables that a packet meets there; `none` where no generation is active. */
  readonly tables: string
}

/** What a packet meets at every hook, sorted. */
export function packetView(state: FakeState): HookView[] {
  // Programs of one object file have their maps in common.
  const known = new Map<FakeProgram['maps'], string>()
  return linksOf(state)
    .map(({ ifindex, hook, program }) => {
      const tables = known.get(program.maps) ?? tablesOf(program)
      known.set(program.maps, tables)
      return { hook: `${ifindex} ${hook}`, object: program.object.slice(0, 2), tables }
    })
    .sort((a, b) => (a.hook < b.hook ? -1 : 1))
}

function tablesOf({ maps }: FakeProgram): string {
  const active = maps['active']?.entries.get(FIRST)
  const slot = active && !('kind' in active) ? active[0]! : 0
  if (slot === 255) return 'none'
  return TABLE_NAMES.map((name) => {
    const table = maps[name]?.entries.get(String.fromCharCode(slot, 0, 0, 0))
    return `${name}: ${table && 'kind' in table ? contentOf(table) : 'missing'}`
  }).join('\n')
}

/**
 * Every pin, and all that hangs on one, in words that are the same for hosts that are the same: objects
 * go by the first path that they are pinned at. Contents are written out, but for what is particular to
 * how things came about: slots, and manifests.
 */
export function inventory(state: FakeState): string[] {
  const numbers = new Map<FakeObject, string>()
  const pins = pinsUnder(state.root, MOUNT)
  for (const [path, object] of pins) if (!numbers.has(object)) numbers.set(object, path)
  const nameOf = (object: FakeObject): string => numbers.get(object) ?? `unpinned ${object.kind}`
  return [
    ...pins.map(([path, object]) => `${path} = ${nameOf(object)}: ${describe(path, object, nameOf)}`),
    ...pinsUnder(state.root, MOUNT).flatMap(([path, object]) =>
      object.kind === 'program' ? programMaps(path, object, nameOf) : [],
    ),
    ...emptyFolders(state),
  ]
}

function describe(path: string, object: FakeObject, nameOf: (object: FakeObject) => string): string {
  switch (object.kind) {
    case 'program':
      return `${object.name} of ${object.object.slice(0, 2)}`
    case 'link':
      return `${object.hook} on ${object.ifindex} runs ${nameOf(object.program)}`
    case 'map':
      return describeMap(object, nameOf) + (/\/(active|manifest)$/.test(path) ? '' : contentOf(object))
  }
}

function describeMap(map: FakeMap, nameOf: (object: FakeObject) => string): string {
  const { type, keySize, valueSize, maxEntries, frozen, timer, entries } = map
  const inner = [...entries.values()].flatMap((value) => ('kind' in value ? [nameOf(value)] : []))
  const shape = `${type} ${keySize}:${valueSize}x${maxEntries}${frozen ? ' frozen' : ''}`
  return `${shape}${timer ? ` timer by ${nameOf(timer)}` : ''} ${inner.sort().join(' ')}`
}

/** Programs reach maps by themselves: they must be the pinned ones. */
function programMaps(path: string, program: FakeProgram, nameOf: (object: FakeObject) => string): string[] {
  return Object.entries(program.maps).map(([name, map]) => `${path} uses ${name} = ${nameOf(map)}`)
}

function emptyFolders(state: FakeState): string[] {
  const found: string[] = []
  const walk = (node: FakeState['root'], path: string): void => {
    if (node.children.size === 0) found.push(`${path}/`)
    for (const [name, child] of node.children) if (child.kind === 'folder') walk(child, `${path}/${name}`)
  }
  walk(state.root, MOUNT)
  return found.sort()
}
