import { readdirSync, readFileSync } from 'node:fs'
import { run } from '../../support/lab/run.ts'
import { bpftool } from './bpftool.ts'

/** Maps, programs, links and types in the kernel, and what holds them there. */

export interface KernelObject {
  /** `map 17`: what others refer to it by. */
  readonly key: string
  readonly id: number
  readonly name: string
  readonly pins: readonly string[]
  /** Keys of what it keeps alive, but for the maps in a map. */
  readonly uses: readonly string[]
  readonly isMapOfMaps: boolean
  /** Of a map. */
  readonly bytes: number
}

interface Shown {
  readonly id: number
  readonly type?: string | number
  readonly name?: string
  readonly pinned?: readonly string[]
  readonly bytes_memlock?: number
  readonly map_ids?: readonly number[]
  readonly prog_id?: number
  readonly btf_id?: number
}

const KINDS = ['map', 'prog', 'link', 'btf'] as const

/** All of the host. Needs CAP_SYS_ADMIN. */
export async function kernelObjects(): Promise<KernelObject[]> {
  const lists = await Promise.all(KINDS.map((kind) => bpftool(['--json', '--bpffs', kind, 'show'])))
  return lists.flatMap((list, i) => {
    const kind = KINDS[i]!
    return (JSON.parse(list) as Shown[]).map((shown) => ({
      key: `${kind} ${shown.id}`,
      id: shown.id,
      name: shown.name ?? '',
      pins: shown.pinned ?? [],
      uses: [
        ...(kind === 'prog' ? (shown.map_ids ?? []).map((id) => `map ${id}`) : []),
        ...(kind === 'link' && shown.prog_id !== undefined ? [`prog ${shown.prog_id}`] : []),
        ...(shown.btf_id === undefined ? [] : [`btf ${shown.btf_id}`]),
      ],
      isMapOfMaps: kind === 'map' && String(shown.type).endsWith('_of_maps'),
      bytes: kind === 'map' ? (shown.bytes_memlock ?? 0) : 0,
    }))
  })
}

/** Whose objects have to be accounted for. */
interface Owner {
  /** The folder of its pins: what has a name there needs no other reason to be. */
  readonly folder: string
  /** What this process has open is no reason. */
  readonly pid: number
}

/**
 * Objects made after `known` were there that nothing can account for: not pinned, not open in another
 * process, not in use by anything that is, and in no map of another owner's. Where other tests run, some
 * may be on their way.
 */
export async function strays(known: readonly KernelObject[], owner: Owner): Promise<string[]> {
  const before = new Set(known.map(({ key }) => key))
  const objects = await kernelObjects()
  const inMaps = await Promise.all(
    objects.map(async (object) => (isOf(owner, object) ? [] : await innerMaps(object))),
  )
  const uses = new Map(objects.map((object, i) => [object.key, [...object.uses, ...inMaps[i]!]]))
  const reached = new Set<string>()
  const reach = (key: string): void => {
    if (reached.has(key)) return
    reached.add(key)
    uses.get(key)?.forEach(reach)
  }
  for (const { key, pins } of objects) if (pins.length > 0 || before.has(key)) reach(key)
  for (const key of openElsewhere(owner.pid)) reach(key)
  return objects.filter(({ key }) => !reached.has(key)).map(({ key, name }) => `${key} ${name}`)
}

const isOf = ({ folder }: Owner, { pins }: KernelObject): boolean =>
  pins.some((pin) => pin.startsWith(`${folder}/`))

/** Keys of the maps in a map; none where it is gone. */
async function innerMaps({ id, isMapOfMaps }: KernelObject): Promise<string[]> {
  if (!isMapOfMaps) return []
  const { code, stdout } = await run(['bpftool', '--json', 'map', 'dump', 'id', String(id)])
  if (code !== 0) return []
  return (JSON.parse(stdout) as { value: string[] }[]).map(
    ({ value }) => `map ${new Uint32Array(Uint8Array.from(value, Number).buffer)[0]}`,
  )
}

/** Keys of what processes other than `pid` have open. */
function openElsewhere(pid: number): string[] {
  const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && Number(name) !== pid)
  return pids.flatMap((name) => {
    const folder = `/proc/${name}/fdinfo`
    return listed(folder).flatMap((fd) => {
      const found = /^(map|prog|link|btf)_id:\s*([0-9]+)$/m.exec(readOr(`${folder}/${fd}`))
      return found ? [`${found[1]} ${found[2]}`] : []
    })
  })
}

/** Processes, and what they have open, come and go. */
function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
