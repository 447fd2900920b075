/** Where things are pinned. docs/state.md explains each of them. */
export interface InstancePaths {
  readonly root: string
  readonly active: string
  readonly meta: string
  readonly runtime: string
  readonly weightLog: string
  readonly confirm: string
  readonly removed: string
  readonly map: (name: string) => string
  readonly outer: (table: string) => string
  readonly conn: (family: 4 | 6, partition: number) => string
  readonly connFolder: string
  readonly program: (name: string) => string
  readonly programFolder: string
  readonly link: (interfaceName: string, hook: string) => string
  readonly linkFolder: string
  readonly generations: string
  readonly generation: (number: number) => string
  /** A generation being built; it takes its real name once it is active. */
  readonly staged: (number: number) => string
}

export const DEFAULT_ROOT = '/sys/fs/bpf/lb'
const STAGED = /^([1-9][0-9]*)-staged$/
const FINISHED = /^[1-9][0-9]*$/

export function instancePaths(instance: string, base = DEFAULT_ROOT): InstancePaths {
  const root = `${base}/${instance}`
  return {
    root,
    active: `${root}/active`,
    meta: `${root}/meta`,
    runtime: `${root}/runtime`,
    weightLog: `${root}/weight_log`,
    confirm: `${root}/confirm`,
    removed: `${root}/removed`,
    map: (name) => `${root}/${name}`,
    outer: (table) => `${root}/tables/${table}`,
    connFolder: `${root}/conn`,
    conn: (family, partition) => `${root}/conn/v${family}-${partition}`,
    programFolder: `${root}/prog`,
    program: (name) => `${root}/prog/${name}`,
    linkFolder: `${root}/link`,
    link: (name, hook) => `${root}/link/${escapePin(name)}:${hook}`,
    generations: `${root}/gen`,
    generation: (number) => `${root}/gen/${number}`,
    staged: (number) => `${root}/gen/${number}-staged`,
  }
}

/** bpffs refuses names with a dot; interface names may have one (`eth0.100`). `%` escapes, as in URLs. */
export function escapePin(name: string): string {
  return name.replace(/[%.:]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
}

export function unescapePin(name: string): string {
  return name.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** What a folder under gen/ is by its name. */
export function parseGenerationFolder(name: string): { number: number; staged: boolean } | undefined {
  const staged = STAGED.exec(name)
  if (staged) return { number: Number(staged[1]), staged: true }
  return FINISHED.test(name) ? { number: Number(name), staged: false } : undefined
}
