/** Configurations of any size, as a person or a generator would write them. */

export interface Size {
  readonly proxies: number
  readonly routes: number
}

export const TARGETS_PER_PROXY = 8

/** The variant differs in one line: two weights of one proxy are exchanged. */
export type Variant = 'base' | 'changed'

/** Addresses of the proxies' targets: 10.1.0.0 and up. */
const target = (i: number) => `10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`

/** Prefixes that clients are routed by: 100.64.0.0/28 and up, next to each other. */
const source = (i: number) => `100.${64 + (i >> 12)}.${(i >> 4) & 255}.${(i & 15) << 4}/28`

/** All source routes are on the first proxy, and lead to 16 lists of targets. */
export function configuration({ proxies, routes }: Size, variant: Variant = 'base'): string {
  const lines = ['version: 1', 'proxies:']
  const changed = variant === 'changed' ? proxies >> 1 : -1
  for (let i = 0; i < proxies; i++) {
    const weights = i === changed ? [20, 16, 16, 10, 10, 10, 9, 9] : [16, 20, 16, 10, 10, 10, 9, 9]
    const port = 1024 + i
    lines.push(`  - name: service-${i}`)
    lines.push(
      `    listen: { interfaces: [front0], address: 203.0.113.10, port: ${port}, protocol: tcp }`,
      '    defaultTarget:',
    )
    for (const [k, weight] of weights.entries()) {
      lines.push(`      - { ip: ${target(TARGETS_PER_PROXY * i + k)}, port: 8080, weight: ${weight} }`)
    }
    if (i > 0 || routes === 0) continue
    lines.push('    sourceRoutes:')
    for (let r = 0; r < routes; r++) {
      lines.push(`      - { source: ${source(r)}, target: { ip: 10.0.1.${r % 16}, port: 8080 } }`)
    }
  }
  return `${lines.join('\n')}\n`
}
