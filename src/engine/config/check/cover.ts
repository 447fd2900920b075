import type { Prefix } from '../../model/ip.ts'

/** Which prefixes of one family are wholly covered by longer ones, and whether all together cover every address. */
export function coveredByLonger(prefixes: readonly Prefix[]): {
  readonly covered: ReadonlySet<Prefix>
  readonly everything: boolean
} {
  const covered = new Set<Prefix>()
  const byLength = groupByLength(prefixes)
  if (!mayCover(byLength)) return { covered, everything: false }
  // From the longest to the shortest: two covered halves make the prefix above them covered.
  let merged = new Set<bigint>()
  for (let length = Math.max(-1, ...byLength.keys()); length >= 0; length--) {
    const here = merged
    for (const prefix of byLength.get(length) ?? []) {
      if (merged.has(bitsOf(prefix))) covered.add(prefix)
    }
    for (const prefix of byLength.get(length) ?? []) here.add(bitsOf(prefix))
    if (length === 0) return { covered, everything: here.size > 0 }
    merged = new Set()
    for (const bits of here) if ((bits & 1n) === 0n && here.has(bits | 1n)) merged.add(bits >> 1n)
  }
  return { covered, everything: false }
}

/** Whether there are enough addresses in longer prefixes to cover a shorter one, or all: mostly there are not. */
function mayCover(byLength: ReadonlyMap<number, readonly Prefix[]>): boolean {
  let share = 0
  for (const length of [...byLength.keys()].sort((a, b) => b - a)) {
    if (share >= 2 ** -length) return true
    share += byLength.get(length)!.length * 2 ** -length
  }
  return share >= 1
}

function groupByLength(prefixes: readonly Prefix[]): Map<number, Prefix[]> {
  const groups = new Map<number, Prefix[]>()
  for (const prefix of prefixes) {
    const group = groups.get(prefix.length)
    if (group === undefined) groups.set(prefix.length, [prefix])
    else group.push(prefix)
  }
  return groups
}

/** The bits of the prefix as a number, without the host's. */
function bitsOf({ bytes, length, family }: Prefix): bigint {
  const offset = family === 'ipv4' ? 12 : 0
  let bits = 0n
  for (const byte of bytes.subarray(offset)) bits = (bits << 8n) | BigInt(byte)
  return bits >> BigInt(8 * (16 - offset) - length)
}
