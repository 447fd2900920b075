import { mustRun } from '../../support/lab/run.ts'

/** Changing pinned maps behind lb's back. Keys and values are bytes. */

export interface Entry {
  readonly key: readonly number[]
  readonly value: readonly number[]
}

/** A row of an array's key. */
export const row = (number: number): number[] => [...new Uint8Array(Uint32Array.of(number).buffer)]

export function bpftool(args: readonly (string | number)[]): Promise<string> {
  return mustRun(['bpftool', ...args.map(String)])
}

export async function dump(path: string): Promise<Entry[]> {
  const rows = JSON.parse(await bpftool(['--json', 'map', 'dump', 'pinned', path])) as {
    key: string[]
    value: string[]
  }[]
  return rows.map(({ key, value }) => ({ key: key.map(Number), value: value.map(Number) }))
}

export async function update(path: string, { key, value }: Entry): Promise<void> {
  await bpftool(['map', 'update', 'pinned', path, 'key', ...key, 'value', ...value])
}

export async function remove(path: string, key: readonly number[]): Promise<void> {
  await bpftool(['map', 'delete', 'pinned', path, 'key', ...key])
}
