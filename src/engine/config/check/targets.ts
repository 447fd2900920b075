import { formatEndpoint } from '../../model/ip.ts'
import type { Problem } from '../../model/problem.ts'
import type { DraftProxy, DraftTarget, DraftTargets, TextNode } from '../draft.ts'
import { problemAt } from '../source.ts'
import { checkWeights } from './weights.ts'

/** What each list of targets says by itself and against its listener. */
export function checkTargets(proxies: readonly DraftProxy[]): Problem[] {
  const problems: Problem[] = []
  for (const proxy of proxies) {
    for (const list of listsOf(proxy)) {
      for (const target of list.targets) {
        const problem = checkTarget(proxy, target)
        if (problem !== undefined) problems.push(problem)
      }
      for (const problem of checkRepeated(proxy, list)) problems.push(problem)
      for (const problem of checkWeights(proxy.source, list)) problems.push(problem)
    }
  }
  return problems
}

/** All lists of targets of a proxy. */
export function listsOf({ defaultTarget, sourceRoutes }: DraftProxy): DraftTargets[] {
  return [defaultTarget, ...sourceRoutes.map(({ targets }) => targets)].filter((list) => list !== undefined)
}

function checkTarget({ source, listen }: DraftProxy, { ip, port }: DraftTarget): Problem | undefined {
  if (ip === undefined) return undefined
  const { kind, text } = ip.value
  const itself = listen?.address
  const isItself = itself?.value.text === text && port !== undefined && port.value === listen?.port?.value
  const fromHere = listen?.interfaces.some(({ value }) => value === 'lo') === true
  if (kind === 'unicast' && !isItself && !fromHere) return undefined
  const at = { source, span: ip.node }
  switch (kind) {
    case 'multicast':
    case 'broadcast':
      return problemAt(at, 'target-address', `The ${kind} address \`${text}\` cannot be a target`)
    case 'any':
      return problemAt(at, 'target-address', `\`${text}\` stands for any address and cannot be a target`, {
        hint: 'Write the address of the server.',
      })
    case 'link-local':
      if (ip.value.family === 'ipv4') break
      return problemAt(at, 'target-address', `The link-local address \`${text}\` cannot be a target`, {
        hint: 'It has a meaning on one link only: use a global or unique local (fd00::/8) address.',
      })
    case 'loopback':
      if (listen?.interfaces.every(({ value }) => value === 'lo') === true) break
      return problemAt(
        at,
        'loopback-target',
        `The kernel drops packets from outside to the loopback address \`${text}\``,
        { hint: 'Use another address of this host, and let the server listen there.' },
      )
    case 'unicast':
      break
  }
  if (!isItself) return kind === 'unicast' && fromHere ? beyondLoopback(at, text) : undefined
  return problemAt(
    at,
    'target-loop',
    `\`${formatEndpoint(text, port.value)}\` is where this proxy listens itself`,
    {
      hint: 'Write the address of the server behind it.',
      related: { message: 'it listens here', at: { source, span: itself.node } },
    },
  )
}

/** Whether it is an address of this host, only the host can tell. */
function beyondLoopback(at: Parameters<typeof problemAt>[0], text: string): Problem {
  return problemAt(
    at,
    'loopback-listener',
    `Clients on this host, whose packets arrive on \`lo\`, reach \`${text}\` only if it is an address of this host`,
    {
      hint: 'The kernel does not forward what arrives on `lo`: listen on an interface that other hosts send to, and let clients on this host ask the target itself.',
    },
  )
}

function checkRepeated({ source }: DraftProxy, { targets }: DraftTargets): Problem[] {
  const problems: Problem[] = []
  // Most lists have each address once, and no text has to be put together to see that.
  if (targets.length === 1 || new Set(targets.map(nameOf)).size === targets.length) return problems
  const first = new Map<string, TextNode>()
  for (const target of targets) {
    const node = (target.ip ?? target.host)?.node
    const name = nameOf(target)
    if (node === undefined || name === undefined || target.port === undefined) continue
    const endpoint = formatEndpoint(name, target.port.value)
    const other = first.get(endpoint)
    if (other === undefined) first.set(endpoint, node)
    else {
      problems.push(
        problemAt(
          { source, span: node },
          'duplicate-target',
          `Target \`${endpoint}\` is in this list twice`,
          {
            hint: 'Remove one of the two; to give a target a larger share, give it a larger weight.',
            related: { message: 'it is here first', at: { source, span: other } },
          },
        ),
      )
    }
  }
  return problems
}

/** Its address or hostname. */
function nameOf({ ip, host }: DraftTarget): string | undefined {
  return ip?.value.text ?? host?.value
}
