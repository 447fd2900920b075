import type { Format } from '../../../src/engine/config/formats.ts'
import { loadConfig } from '../../../src/engine/config/load.ts'
import type { Problem } from '../../../src/engine/model/problem.ts'
import { resolveSnapshot } from '../../../src/engine/config/resolve.ts'
import type { HostAddresses } from '../../../src/engine/model/resolution.ts'
import type { Snapshot } from '../../../src/engine/model/snapshot.ts'

/** All problems of one text, warnings included. */
export function problemsOf(text: string, format: Format = 'yaml'): readonly Problem[] {
  const loaded = loadConfig([{ file: `lb.${format}`, text, format }])
  return loaded.ok ? loaded.warnings : loaded.problems
}

/** `line:column rule`, the start of each problem. */
export function rulesOf(text: string, format: Format = 'yaml'): string[] {
  return problemsOf(text, format).map(({ range, rule }) =>
    range === undefined ? rule : `${range.start.line}:${range.start.column} ${rule}`,
  )
}

/** What is underlined, the message and the hint of the only problem. */
export function onlyProblem(
  text: string,
  format: Format = 'yaml',
): readonly [string, string, string | undefined] {
  const problems = problemsOf(text, format)
  const [problem] = problems
  if (problem === undefined || problems.length > 1) {
    throw new Error(`${problems.length} problems: ${problems.map(({ message }) => message).join('; ')}`)
  }
  return [marked(text, problem), problem.message, problem.hint]
}

/** The text that a problem points at, by its bytes. */
export function marked(text: string, { range }: Problem): string {
  const bytes = new TextEncoder().encode(text)
  return new TextDecoder().decode(bytes.subarray(range?.start.byte, range?.end.byte))
}

/** `answers`: the addresses of names, where there are any. */
export function load(text: string, format: Format = 'yaml', answers: HostAddresses = new Map()): Snapshot {
  const loaded = loadConfig([{ file: `lb.${format}`, text, format }])
  const resolved = loaded.ok ? resolveSnapshot(loaded.snapshot, answers) : loaded
  if (!resolved.ok) throw new Error(resolved.problems.map(({ message }) => message).join('; '))
  return resolved.snapshot
}

/** A configuration of one proxy: what is given replaces the usual lines. */
export function proxyWith(lines: Readonly<Record<string, string>>): string {
  const usual = {
    name: 'web',
    listen: '{ interfaces: [eth0], port: 80 }',
    defaultTarget: '{ ip: 10.0.0.1, port: 8080 }',
  }
  const all = Object.entries({ ...usual, ...lines }).map(([key, value]) => `    ${key}: ${value}`)
  return `proxies:\n  -\n${all.join('\n')}\n`
}
