/** Naming one target of one proxy on the command line. */
import { Args } from '@oclif/core'
import { suggest } from '../engine/config/suggest.ts'
import { activeGeneration } from '../engine/execute/active.ts'
import type { World } from '../engine/execute/world.ts'
import { LbError } from '../engine/model/errors.ts'
import { formatEndpoint, formatIp, parseIp } from '../engine/model/ip.ts'
import type { TargetKey } from '../engine/model/runtime.ts'
import type { Deployment } from '../engine/model/snapshot.ts'

export const targetArgs = {
  proxy: Args.string({ description: 'name of the proxy', required: true, ignoreStdin: true }),
  target: Args.string({
    description: 'the target: ADDRESS:PORT, or [ADDRESS]:PORT for IPv6; an address alone where that says it',
    required: true,
    ignoreStdin: true,
  }),
}

export interface NamedTarget {
  readonly key: TargetKey
  readonly deployment: Deployment
}

/** @throws LbError `input` where there is no such target, with those that there are */
export function findTarget(world: World, proxyName: string, text: string): NamedTarget {
  const deployment = activeGeneration(world)?.deployment
  if (!deployment) throw new LbError('input', `nothing is applied on instance ${world.instance}`)
  const { proxies } = deployment.snapshot
  const proxy = proxies.find(({ name }) => name === proxyName)
  if (!proxy) {
    throw new LbError(
      'input',
      `there is no proxy ${proxyName}`,
      didYouMean(
        proxyName,
        proxies.map(({ name }) => name),
      ),
    )
  }
  const lists = [proxy.defaultTarget, ...proxy.sourceRoutes.map(({ targets }) => targets)]
  const targets = new Map(
    lists.flat().map(({ ip, port }) => [formatEndpoint(ip, port), { ip, port }] as const),
  )
  const { ip, port } = readEndpoint(text)
  const found = [...targets.values()].filter(
    (item) => item.ip === ip && (port === undefined || item.port === port),
  )
  const [target] = found
  if (target && found.length === 1) {
    return { key: { proxy: proxyName, ...target, protocol: proxy.listen.protocol }, deployment }
  }
  if (found.length > 1) {
    throw new LbError('input', `proxy ${proxyName} has several targets ${ip}: name the port`, {
      hint: found.map((item) => formatEndpoint(item.ip, item.port)).join(', '),
    })
  }
  throw new LbError('input', `proxy ${proxyName} has no target ${text}`, listed([...targets.keys()]))
}

function didYouMean(typed: string, names: readonly string[]): { hint: string } {
  const meant = suggest(typed, names)
  return meant === undefined ? listed(names) : { hint: `did you mean ${meant}?` }
}

function listed(names: readonly string[]): { hint: string } {
  const shown = names.slice(0, 10).join(', ')
  return { hint: names.length > 10 ? `${shown} and ${names.length - 10} more` : shown || 'there is none' }
}

/** `10.0.0.1:8080`, `[fd00::1]:8080`, or an address alone. */
function readEndpoint(text: string): { ip: string; port: number | undefined } {
  const alone = parseIp(text)
  if (alone) return { ip: formatIp(alone), port: undefined }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(text) ?? []
  const bytes = parseIp(bracketed ?? plain ?? '')
  if (bytes) return { ip: formatIp(bytes), port: Number(digits) }
  throw new LbError('usage', `'${text}' is no target`, {
    hint: 'a target is ADDRESS:PORT, like 10.0.0.1:8080 or [fd00::1]:8080',
  })
}
