import type { Problem } from '../../model/problem.ts'
import type { DraftInterface, DraftListen, DraftProxy } from '../draft.ts'
import { problemAt } from '../source.ts'

/** What each listener says by itself, against the settings of interfaces, and against the others. */
export function checkListeners(
  proxies: readonly DraftProxy[],
  interfaces: readonly DraftInterface[],
): Problem[] {
  const unattached = new Map(
    interfaces.flatMap((entry) => (entry.attach?.value === 'none' ? [[entry.name, entry] as const] : [])),
  )
  return [
    ...proxies.flatMap(checkAddress),
    ...proxies.flatMap((proxy) => checkInterfaces(proxy, unattached)),
    ...checkOverlap(proxies),
  ]
}

function checkAddress({ source, listen }: DraftProxy): Problem[] {
  const address = listen?.address
  if (address === undefined) return []
  const { kind, text } = address.value
  if (kind !== 'multicast' && kind !== 'broadcast') return []
  const message = `A proxy cannot listen on the ${kind} address \`${text}\``
  return [problemAt({ source, span: address.node }, 'listen-address', message)]
}

function checkInterfaces(
  { source, listen }: DraftProxy,
  unattached: ReadonlyMap<string, DraftInterface>,
): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const node of listen?.interfaces ?? []) {
    const at = { source, span: node }
    const name = node.value
    if (seen.has(name)) {
      problems.push(problemAt(at, 'duplicate-interface', `Interface \`${name}\` is listed twice`))
      continue
    }
    seen.add(name)
    const setting = unattached.get(name)
    if (setting?.attach === undefined) continue
    problems.push(
      problemAt(
        at,
        'interface-not-attached',
        `Interface \`${name}\` is not attached, so nothing can listen on it`,
        {
          hint: 'Remove `attach: none`, or listen on another interface.',
          related: { message: 'it is left alone here', at: { source: setting.source, span: setting.attach } },
        },
      ),
    )
  }
  return problems
}

/**
 * No two proxies take the same packets. An address and any address on one port are no conflict: the
 * data plane asks for the exact address first.
 */
function checkOverlap(proxies: readonly DraftProxy[]): Problem[] {
  const problems: Problem[] = []
  const first = new Map<string, DraftProxy>()
  for (const proxy of proxies) {
    const shared = new Map<DraftProxy, string[]>()
    for (const [name, key] of listenerKeys(proxy)) {
      const other = first.get(key)
      if (other === undefined) first.set(key, proxy)
      else if (other !== proxy) shared.set(other, [...(shared.get(other) ?? []), name])
    }
    for (const [other, names] of shared) {
      const problem = overlapProblem(proxy, other, names)
      if (problem !== undefined) problems.push(problem)
    }
  }
  return problems
}

/** Interface name and what the kernel will look packets up by. None where a part is unknown. */
function listenerKeys({ listen, family }: DraftProxy): (readonly [string, string])[] {
  if (listen?.port === undefined || listen.protocol === undefined) return []
  if (family === undefined || listen.addressInvalid) return []
  const rest = `${family} ${addressOf(listen)} ${listen.port.value} ${listen.protocol}`
  return listen.interfaces.map(({ value }) => [value, `${value} ${rest}`] as const)
}

function addressOf({ address }: DraftListen): string {
  return address === undefined || address.value.kind === 'any' ? 'any' : address.value.text
}

function overlapProblem(proxy: DraftProxy, other: DraftProxy, names: readonly string[]): Problem | undefined {
  const { listen, name, source } = proxy
  if (listen?.port === undefined || other.listen?.port === undefined) return undefined
  // Copies of a proxy are told by their name.
  if (name !== undefined && name.value === other.name?.value) return undefined
  const address = addressOf(listen)
  const place = address === 'any' ? 'any address' : `\`${address}\``
  const where = `${place}, ${listen.protocol ?? ''} port ${listen.port.value} on ${names.map((text) => `\`${text}\``).join(', ')}`
  const owner = other.name === undefined ? 'Another proxy' : `Proxy \`${other.name.value}\``
  return problemAt(
    { source, span: listen.port },
    'duplicate-listener',
    `${owner} already listens on ${where}`,
    {
      hint: 'Give one of the two another port, address or interface.',
      related: { message: 'it is taken here', at: { source: other.source, span: other.listen.port } },
    },
  )
}
