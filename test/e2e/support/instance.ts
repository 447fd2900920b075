import { readdirSync } from 'node:fs'
import { type Lab } from '../../support/netns.ts'
import { kernelObjects } from './kernel-objects.ts'
import { pins } from './lb.ts'

/** What an instance has in the kernel. */
export interface Instance {
  /** Generations by their order and not their number. */
  readonly pins: readonly string[]
  readonly maps: number
  /** All but `backend_ids`, which remembers backends that are gone, as many as there is room for. */
  readonly mapBytes: number
  readonly programs: number
  readonly links: number
}

export async function instanceOf(lab: Lab): Promise<Instance> {
  const objects = (await kernelObjects()).filter(({ pins: paths }) =>
    paths.some((path) => path.startsWith(`${pins(lab)}/`)),
  )
  const of = (kind: string) => objects.filter(({ key }) => key.startsWith(kind))
  const maps = of('map')
  return {
    pins: pinsOf(lab),
    maps: maps.length,
    mapBytes: maps.reduce((sum, { name, bytes }) => sum + (name === 'backend_ids' ? 0 : bytes), 0),
    programs: of('prog').length,
    links: of('link').length,
  }
}

function pinsOf(lab: Lab): string[] {
  const numbers = readdirSync(pins(lab, 'gen'))
    .map(Number)
    .sort((a, b) => a - b)
  const order = (number: string) => numbers.indexOf(Number(number))
  return readdirSync(pins(lab), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replace(/^gen\/([0-9]+)/, (_, number: string) => `gen/#${order(number)}`))
    .sort()
}
