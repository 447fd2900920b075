/** An instance on one screen, as `lb status` shows it. */
import type { PendingConfirmation } from '../engine/model/confirmation.ts'
import type { DaemonStatus, ProxyStatus, StatusDocument } from '../engine/model/status.ts'
import type { Palette } from './palette.ts'
import { renderPendingRemovals } from './removals.ts'
import { ago } from './status/ago.ts'
import { targetHeads, targetRow } from './status/targets.ts'
import { alignColumns, counted, escapeText } from './text.ts'

/** Differences that are named. */
const SHOWN = 5

/** Text without a final newline. */
export function renderStatus(document: StatusDocument, palette: Palette): string {
  const { daemon, interfaces, proxies, removals } = document
  const sections = [
    alignLabels([...headLines(document, palette), ...daemonLines(daemon, document.at, palette)], palette),
  ]
  if (interfaces.length > 0) {
    const rows = interfaces.map(({ name, attach, mode, roles }) => [
      escapeText(name),
      attach === mode ? mode : `${mode} (${attach})`,
      roles.join(', '),
    ])
    sections.push(table([['INTERFACE', 'ATTACHED', 'FOR'], ...rows], palette))
  }
  for (const proxy of proxies) sections.push(proxySection(proxy, document.at, palette))
  if (removals.length > 0) sections.push(renderPendingRemovals(removals, document.at, palette))
  return sections.join('\n\n')
}

type Line = readonly [string, string]

function headLines(
  { instance, generation, confirmation, drift, at }: StatusDocument,
  palette: Palette,
): Line[] {
  const head: Line = ['Instance', escapeText(instance)]
  if (!generation) return [head, ['Serving', 'nothing is applied']]
  const { number, createdAt, user, sources } = generation
  const made = [
    ...(createdAt === null ? [] : [`made ${ago(createdAt, at)} ago`]),
    ...(user === null ? [] : [`by ${escapeText(user)}`]),
    ...(sources.length === 0 ? [] : [`from ${sources.map(escapeText).join(', ')}`]),
  ]
  const lines: Line[] = [
    head,
    ['Serving', `generation ${number}${made.length > 0 ? `, ${made.join(' ')}` : ''}`],
  ]
  if (confirmation) lines.push(['Confirm', confirmLine(confirmation, palette)])
  if (drift.length > 0) {
    lines.push(['Drift', `the maps were changed in ${counted(drift.length, 'place')}: ${names(drift)}`])
  }
  return lines
}

function confirmLine(
  { generation, previous, kind, secondsLeft, overdue }: PendingConfirmation,
  { yellow, red }: Palette,
): string {
  const back = previous === 0 ? 'nothing serves any more' : `generation ${previous} serves again`
  if (overdue) return `${red('the time is up')}: ${back} with the next \`lb apply\``
  const what =
    kind === 'asked'
      ? `generation ${generation} waits for \`lb confirm\``
      : `generation ${generation} is being watched`
  return `${yellow(what)}, ${secondsLeft} s left; otherwise ${back}`
}

function daemonLines(daemon: DaemonStatus | null, now: string, palette: Palette): Line[] {
  const { red, yellow, green } = palette
  if (!daemon) {
    return [['Daemon', `${yellow('none runs')}: what follows is what the kernel's maps tell`]]
  }
  const { pid, startedAt, approve, onDrift, files, agreement, lastReload } = daemon
  const lines: Line[] = [
    ['Daemon', `process ${pid}, for ${ago(startedAt, now)}; approve: ${approve}, onDrift: ${onDrift}`],
  ]
  const paths = files.paths.map(escapeText).join(', ')
  const problem = files.problem?.split('\n').find((line) => line.trim() !== '')
  lines.push([
    'Files',
    files.state === 'invalid' ? `${paths}: ${red('wrong')}; ${escapeText(problem ?? '')}` : paths,
  ])
  const { state, message, summary, changes } = agreement
  const differs = summary
    ? `${counted(summary.create + summary.update + summary.delete, 'change')}: ${names(changes)}`
    : ''
  const words: Record<typeof state, string> = {
    unknown: 'not compared with the files yet',
    'in-sync': green('as the files say'),
    pending: `${yellow('a plan waits for `lb apply`')}: ${differs}`,
    refused: `${yellow('a plan waits for `lb apply`')}: ${escapeText(message ?? '')}`,
    drifted: `${yellow('differs from the files, and is left so')}: ${differs}`,
    failed: `${red('cannot be made as the files say')}: ${escapeText(message ?? '')}`,
  }
  lines.push(['Kernel', words[state]])
  if (lastReload) {
    const { outcome, at, trigger, ms, message: why } = lastReload
    const because = why === null ? '' : `: ${escapeText(why)}`
    lines.push(['Reload', `${outcome} ${ago(at, now)} ago (${trigger}, ${ms} ms)${because}`])
  }
  const failing = daemon.names.filter(({ error }) => error !== null)
  for (const { host, family, error, addresses } of failing) {
    const kept = addresses.length > 0 ? `; goes on with the ${addresses.length} known` : ''
    lines.push(['Name', `${escapeText(host)} (${family}): ${red(escapeText(error ?? ''))}${kept}`])
  }
  return lines
}

function names(changes: readonly { readonly address: string }[]): string {
  const shown = changes.slice(0, SHOWN).map(({ address }) => escapeText(address))
  return [...shown, ...(changes.length > SHOWN ? ['…'] : [])].join(', ')
}

function proxySection(
  { name, listen, connections, targets }: ProxyStatus,
  now: string,
  palette: Palette,
): string {
  const { interfaces, address, port, protocol } = listen
  const place = address?.includes(':') ? `[${address}]` : (address ?? '*')
  const on = interfaces.map(escapeText).join(', ')
  const head = `${palette.bold(escapeText(name))}  ${place}:${port}/${protocol} on ${on}: ${counted(connections, 'connection')}`
  const hasSources = targets.some(({ source }) => source !== null)
  const rows = targets.map((target) => targetRow(target, now, hasSources))
  const [heads = '', ...lines] = alignColumns([targetHeads(hasSources), ...rows])
  const sick = targets.map(({ effectiveShare, share }) => effectiveShare === 0 && share > 0)
  return [
    head,
    palette.dim(`  ${heads}`),
    ...lines.map((line, i) => `  ${sick[i] ? palette.yellow(line) : line}`),
  ].join('\n')
}

function alignLabels(lines: readonly Line[], { dim }: Palette): string {
  return lines.map(([label, text]) => `${dim(label.padEnd(8))}  ${text}`).join('\n')
}

function table(rows: readonly (readonly string[])[], palette: Palette): string {
  const [head = '', ...lines] = alignColumns(rows)
  return [palette.dim(head), ...lines].join('\n')
}
