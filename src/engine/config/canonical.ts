/** A snapshot as a configuration file: what is the same prints the same, byte for byte. */
import type { UnresolvedSnapshot } from '../model/unresolved.ts'
import { toConfigObject } from './config-object.ts'
import type * as Input from './types.generated.ts'

export { toConfigObject } from './config-object.ts'

/** A snapshot as YAML. Loading it gives the same snapshot. */
export function toCanonicalYaml(snapshot: UnresolvedSnapshot): string {
  const { version, proxies = [], interfaces, settings } = toConfigObject(snapshot)
  const lines = [`version: ${version ?? 1}`, proxies.length === 0 ? 'proxies: []' : 'proxies:']
  for (const proxy of proxies) writeProxy(lines, proxy)
  if (interfaces !== undefined) lines.push('interfaces:', ...writeEntries(interfaces))
  if (settings !== undefined) lines.push('settings:', ...writeEntries(settings))
  return `${lines.join('\n')}\n`
}

function writeProxy(lines: string[], proxy: Input.Proxy): void {
  lines.push(`  - name: ${inline(proxy.name)}`)
  lines.push(`    listen: ${inline(proxy.listen)}`)
  lines.push(`    forwarding: ${inline(proxy.forwarding)}`)
  writeTargets(lines, '    defaultTarget:', proxy.defaultTarget)
  if (proxy.sourceRoutes !== undefined) lines.push('    sourceRoutes:')
  for (const { source, target, targets } of proxy.sourceRoutes ?? []) {
    lines.push(`      - source: ${inline(source)}`)
    if (target !== undefined) writeTargets(lines, '        target:', target)
    if (targets !== undefined) writeTargets(lines, '        targets:', targets)
  }
  const { onRemove, onRemoveDeadlineSec } = proxy
  if (onRemove !== undefined) lines.push(`    onRemove: ${onRemove}`)
  if (onRemoveDeadlineSec !== undefined) lines.push(`    onRemoveDeadlineSec: ${onRemoveDeadlineSec}`)
}

function writeTargets(lines: string[], key: string, targets: Input.Target | readonly Input.Target[]): void {
  if (!isList(targets)) {
    lines.push(`${key} ${inline(targets)}`)
    return
  }
  lines.push(key)
  const indent = ' '.repeat(key.search(/\S/) + 2)
  for (const target of targets) lines.push(`${indent}- ${inline(target)}`)
}

function isList(targets: Input.Target | readonly Input.Target[]): targets is readonly Input.Target[] {
  return Array.isArray(targets)
}

function writeEntries(map: object): string[] {
  return Object.entries(map).map(([key, value]) => `  ${inline(key)}: ${inline(value)}`)
}

/** A value on one line. */
function inline(value: unknown): string {
  if (typeof value === 'string') return plain(value) ? value : JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([key, item]) => `${inline(key)}: ${inline(item)}`)
    .join(', ')} }`
}

/** Text that every YAML reader, also one of YAML 1.1, takes for text without quotes. */
function plain(text: string): boolean {
  if (/^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/.test(text)) return true
  return /^[A-Za-z][A-Za-z0-9._-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
}
