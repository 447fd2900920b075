/** A snapshot as a configuration file: what is the same prints the same, byte for byte. */
import type { Listen, Settings, Snapshot, SourceRoute, Target } from '../model/snapshot.ts'
import { defaults } from './defaults.generated.ts'
import type * as Input from './types.generated.ts'

/**
 * A snapshot in the shape of a configuration file, keys in the order of the documentation. Defaults are
 * spelled out in proxies, where a reader looks for them, and left out of the settings.
 */
export function toConfigObject({ proxies, interfaces, settings }: Snapshot): Input.Config {
  const changed = changedSettings(settings)
  return {
    version: 1,
    proxies: proxies.map(({ name, listen, forwarding, defaultTarget, sourceRoutes }) => ({
      name,
      listen: listenObject(listen),
      forwarding,
      defaultTarget: targetsObject(defaultTarget),
      ...(sourceRoutes.length > 0 && { sourceRoutes: sourceRoutes.map(routeObject) }),
    })),
    ...(interfaces.length > 0 && {
      interfaces: Object.fromEntries(interfaces.map(({ name, attach }) => [name, { attach }])),
    }),
    ...(Object.keys(changed).length > 0 && { settings: changed }),
  }
}

function listenObject({ interfaces, address, port, protocol }: Listen): Input.Listener {
  return { interfaces: [...interfaces], ...(address !== null && { address }), port, protocol }
}

function targetObject({ ip, port, weight }: Target): Input.Target {
  return { ip, port, ...(weight !== null && { weight }) }
}

/** A list of one is written as its element. */
function targetsObject(targets: readonly Target[]): Input.Target | Input.Target[] {
  const objects = targets.map(targetObject)
  const [only] = objects
  return objects.length === 1 && only !== undefined ? only : objects
}

function routeObject({ source, targets }: SourceRoute): Input.SourceRoute {
  const objects = targetsObject(targets)
  return Array.isArray(objects) ? { source, targets: objects } : { source, target: objects }
}

function changedSettings(settings: Settings): Input.Settings {
  const usual: Readonly<Record<string, unknown>> = defaults.settings
  return Object.fromEntries(Object.entries(settings).filter(([key, value]) => value !== usual[key]))
}

/** A snapshot as YAML. Loading it gives the same snapshot. */
export function toCanonicalYaml(snapshot: Snapshot): string {
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
  if (proxy.sourceRoutes === undefined) return
  lines.push('    sourceRoutes:')
  for (const { source, target, targets } of proxy.sourceRoutes) {
    lines.push(`      - source: ${inline(source)}`)
    if (target !== undefined) writeTargets(lines, '        target:', target)
    if (targets !== undefined) writeTargets(lines, '        targets:', targets)
  }
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
