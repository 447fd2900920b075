/** Names of hosts as people write them. */
import { parseIp } from '../model/ip.ts'
import type { Parsed } from './parsed.ts'

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/
const MAX_LENGTH = 253

/**
 * In lower case. A name whose last part is a number is none: it would be taken for an address (RFC 1123,
 * 2.1). A final dot stays: with it the search list of the host is not used.
 */
export function readHostname(text: string): Parsed<string> {
  const name = text.toLowerCase()
  return isHostname(name)
    ? { value: name }
    : { fault: { message: `\`${shorten(text)}\` is no hostname`, ...hintFor(text) } }
}

/** Whether a text, in lower case, is a name that can be looked up. */
export function isHostname(name: string): boolean {
  // Of many sources of clients, most are networks.
  if (name.includes('/')) return false
  const labels = (name.endsWith('.') ? name.slice(0, -1) : name).split('.')
  return (
    name.length <= MAX_LENGTH &&
    labels.every((label) => LABEL.test(label)) &&
    !/^[0-9]+$/.test(labels.at(-1) ?? '')
  )
}

function hintFor(text: string): { hint?: string } {
  if (parseIp(text) !== undefined) return { hint: 'An address has a key of its own: `ip`.' }
  const scheme = /^[a-z]+:\/\//i.exec(text)?.[0]
  if (scheme !== undefined) return { hint: `Leave out \`${scheme}\`, and all that follows the name.` }
  if (/^[^:]+:[0-9]+$/.test(text)) return { hint: 'The port has a key of its own: `port`.' }
  if (text.includes('*')) return { hint: 'It must be one name, without wildcards.' }
  if (/[^ -~]/.test(text)) return { hint: 'Write the name in its ASCII form, which starts with `xn--`.' }
  if (text.length > MAX_LENGTH) return { hint: `A name has at most ${MAX_LENGTH} characters.` }
  if (text.split('.').some((label) => label.length > 63))
    return { hint: 'A part between dots has at most 63 characters.' }
  return {}
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
