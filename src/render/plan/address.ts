/** Addresses of resources as the heads of blocks: `proxy.web.target["x"]` → `proxy "web" target "x"`. */
import { escapeText, quoteText } from '../text.ts'

const SEGMENT = /\.?([A-Za-z0-9_-]+)|\[("(?:[^"\\]|\\.)*")\]|\[([0-9]+)\]/y

/** Kinds whose name may follow after a dot. */
const NAMED = new Set(['proxy', 'interface'])

/** An address that is none of ours stands as it is. */
export function blockHead(address: string): string {
  const words: string[] = []
  SEGMENT.lastIndex = 0
  while (SEGMENT.lastIndex < address.length) {
    const match = SEGMENT.exec(address)
    if (!match) return escapeText(address)
    const [, word, quoted, index] = match
    if (word !== undefined)
      words.push(NAMED.has(words[0] ?? '') && words.length === 1 ? quoteText(word) : word)
    else words.push(escapeText(quoted ?? index ?? ''))
  }
  return words.join(' ')
}

/** `connectionTimeoutSec` of `settings.connectionTimeoutSec`: a setting is shown under its own name. */
export function settingName(address: string): string | undefined {
  return /^settings\.([A-Za-z0-9_]+)$/.exec(address)?.[1]
}
