/** A file that is a list of targets, as `defaultTarget` of a configuration has it. */
import { readFileSync } from 'node:fs'
import { loadConfig } from '../engine/config/load.ts'
import { LbError } from '../engine/model/errors.ts'
import type { Problem, SourcePosition, SourceRange } from '../engine/model/problem.ts'
import type { Proxy, Target } from '../engine/model/snapshot.ts'
import { isHostTarget } from '../engine/model/unresolved.ts'
import { ConfigError } from './base.ts'

/** What has to stand before each line, as it is a part of a whole configuration: two levels of a list. */
const INDENT = '      '

/**
 * YAML, or JSON, which is YAML too. Checked as the default target of that proxy.
 * @throws LbError `config`, with places in the file
 */
export function readTargetsFile(path: string, proxy: Proxy): readonly Target[] {
  const text = readText(path)
  if (text.trim() === '') throw new LbError('config', `${path} is empty: it is to be a list of targets`)
  const head = [
    'version: 1',
    'proxies:',
    `  - name: ${JSON.stringify(proxy.name)}`,
    `    listen: ${JSON.stringify({ ...proxy.listen, ...(proxy.listen.address === null && { address: undefined }) })}`,
    '    defaultTarget:',
  ]
  const lines = text
    .split('\n')
    .map((line) => (line.trim() === '' || line.startsWith('---') ? '' : INDENT + line))
  const before = `${head.join('\n')}\n`
  const loaded = loadConfig([{ file: path, text: before + lines.join('\n'), format: 'yaml' }])
  if (!loaded.ok) throw new ConfigError(loaded.problems.map((problem) => moved(problem, head.length, before)))
  const targets = loaded.snapshot.proxies[0]?.defaultTarget ?? []
  const named = targets.find(isHostTarget)
  if (named) {
    throw new LbError('config', `${path}: a rollout leads to addresses, and ${named.host} is a name`, {
      hint: 'targets by name follow their addresses by themselves; change the name with `lb apply`',
    })
  }
  return targets.filter((target): target is Target => !isHostTarget(target))
}

function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new LbError('config', `cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
}

function moved({ range, related, ...problem }: Problem, lines: number, before: string): Problem {
  return {
    ...problem,
    ...(range && { range: movedRange(range, lines, before) }),
    ...(related && { related: { ...related, range: movedRange(related.range, lines, before) } }),
  }
}

/** To where that stands in the file itself. */
function movedRange({ file, start, end, snippet }: SourceRange, lines: number, before: string): SourceRange {
  const move = ({ line, column, byte }: SourcePosition): SourcePosition => {
    const row = line - lines
    if (row < 1) return { line: 1, column: 1, byte: 0 }
    return {
      line: row,
      column: Math.max(1, column - INDENT.length),
      byte: Math.max(0, byte - Buffer.byteLength(before) - row * INDENT.length),
    }
  }
  return { file, start: move(start), end: move(end), snippet: snippet.slice(INDENT.length) }
}
