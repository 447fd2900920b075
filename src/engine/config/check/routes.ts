import type { Problem } from '../../model/problem.ts'
import type { DraftProxy, DraftRoute, TextNode } from '../draft.ts'
import { problemAt, spell } from '../source.ts'
import { coveredByLonger } from './cover.ts'

/** What the source routes of each proxy say against each other. */
export function checkRoutes(proxies: readonly DraftProxy[]): Problem[] {
  const routed = proxies.filter(({ sourceRoutes }) => sourceRoutes.length > 0)
  return routed.flatMap((proxy) => [
    ...proxy.sourceRoutes.flatMap((route) => checkHostBits(proxy, route)),
    ...checkRepeated(proxy),
    ...checkReachable(proxy),
  ])
}

function checkHostBits({ source: file }: DraftProxy, { source }: DraftRoute): Problem[] {
  if (source?.value.hostBits !== true) return []
  const { text } = source.value
  const [ip = ''] = source.node.value.split('/')
  return [
    problemAt(
      { source: file, span: source.node },
      'host-bits',
      `\`${source.node.value}\` means the network \`${text}\``,
      {
        hint: `Write \`${text}\`, or \`${ip}\` if the one address is meant.`,
      },
    ),
  ]
}

function checkRepeated({ source: file, sourceRoutes }: DraftProxy): Problem[] {
  const problems: Problem[] = []
  const first = new Map<string, TextNode>()
  for (const { source, sourceHost } of sourceRoutes) {
    const node = (source ?? sourceHost)?.node
    const text = source?.value.text ?? sourceHost?.value
    if (node === undefined || text === undefined) continue
    const other = first.get(text)
    if (other === undefined) first.set(text, node)
    else {
      problems.push(
        problemAt(
          { source: file, span: node },
          'duplicate-source-route',
          `There is already a route for \`${text}\``,
          {
            hint: `Put all its targets into the \`${spell(file, 'targets')}\` of one route.`,
            related: { message: 'it is here', at: { source: file, span: other } },
          },
        ),
      )
    }
  }
  return problems
}

/** Routes and default targets that no client gets to, since longer prefixes take all of them. */
function checkReachable({ source: file, sourceRoutes, family, defaultTarget }: DraftProxy): Problem[] {
  const routes = sourceRoutes.flatMap(({ source }) =>
    source === undefined || source.value.family !== family ? [] : [source],
  )
  const { covered, everything } = coveredByLonger(routes.map(({ value }) => value.prefix))
  const problems = routes
    .filter(({ value }) => covered.has(value.prefix))
    .map(({ node, value }) =>
      problemAt(
        { source: file, span: node },
        'unreachable-route',
        `The route for \`${value.text}\` is never used`,
        {
          hint: 'Routes with longer prefixes take all its clients: remove it, or one of them.',
        },
      ),
    )
  if (!everything || defaultTarget === undefined) return problems
  const message = `\`${spell(file, 'defaultTarget')}\` is never used`
  const hint = 'The source routes take all clients.'
  const at = { source: file, span: defaultTarget.node }
  return [...problems, problemAt(at, 'unreachable-default', message, { hint })]
}
