/** What a program did to a frame, held against the model. */
import { parseFrame, residuals, type Parsed } from './model-parse.ts'
import type { Fate, Verdict } from './model.ts'
import { ETHERNET, ipBytes, macBytes } from './packet.ts'

export interface Observed {
  readonly verdict: Verdict
  readonly reason: string
  readonly data: Uint8Array
}

const LOOSE = { tc: false, egress: true, ownMac: true }

/** The frame that the fate makes of `input`, with checksums as they were. */
function expectedFrame(input: Uint8Array, { rewrite, hop }: Fate): Uint8Array {
  const out = input.slice()
  const parsed = parseFrame(input, LOOSE)
  if (typeof parsed === 'string' || !rewrite) return out
  const { v6, l4 } = parsed
  const size = v6 ? 16 : 4
  const source = ETHERNET + (v6 ? 8 : 12)
  const at = rewrite.end === 'source' ? { ip: source, port: l4 } : { ip: source + size, port: l4 + 2 }
  out.set(ipBytes(rewrite.to.ip), at.ip)
  out.set([rewrite.to.port >> 8, rewrite.to.port & 0xff], at.port)
  if (hop) {
    out[ETHERNET + (v6 ? 7 : 8)]! -= 1
    out.set(macBytes(hop.destination), 0)
    out.set(macBytes(hop.source), 6)
  }
  return out
}

/** The same, with the checksums as wrong or right as they were in `input`. */
export function expectedBytes(input: Uint8Array, fate: Fate): Uint8Array {
  const out = expectedFrame(input, fate)
  const before = parseFrame(input, LOOSE)
  const after = parseFrame(out, LOOSE)
  if (typeof before === 'string' || typeof after === 'string') return out
  const [was, is] = [residuals(input, before), residuals(out, after)]
  const put = (at: number, error: number): void => {
    const value = ((out[at]! << 8) + out[at + 1]! + 0xffff - error) % 0xffff
    out.set([value >> 8, value & 255], at)
  }
  if (!after.v6) put(ETHERNET + 10, is.header - was.header)
  const check = after.l4 + (after.protocol === 'tcp' ? 16 : 6)
  if (!isAbsent(input, before)) put(check, is.l4 - was.l4)
  // Zero would say that there is none.
  if (isAbsent(out, after) && !isAbsent(input, before)) out.fill(255, check, check + 2)
  return out
}

function isAbsent(frame: Uint8Array, { protocol, l4 }: Parsed): boolean {
  return protocol === 'udp' && frame[l4 + 6] === 0 && frame[l4 + 7] === 0
}

/** Every byte but those of checksums that a rewrite changes. */
function withoutChecksums(frame: Uint8Array): Uint8Array {
  const parsed = parseFrame(frame, LOOSE)
  if (typeof parsed === 'string') return frame
  const out = frame.slice()
  const fields = [parsed.l4 + (parsed.protocol === 'tcp' ? 16 : 6), ...(parsed.v6 ? [] : [ETHERNET + 10])]
  for (const at of fields) out.fill(0, at, at + 2)
  return out
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Where two frames differ: the place, and a few bytes of each from there. */
function byteDifference(wanted: Uint8Array, got: Uint8Array): string[] {
  if (wanted.length !== got.length) return [`${got.length} bytes, not ${wanted.length}`]
  const at = wanted.findIndex((byte, i) => byte !== got[i])
  if (at < 0) return []
  return [`from byte ${at}: ${hex(got.subarray(at, at + 8))}, not ${hex(wanted.subarray(at, at + 8))}`]
}

/** Sentences about everything that is not as the model has it; none where all is. */
export function differences(input: Uint8Array, fate: Fate, observed: Observed): string[] {
  const found: string[] = []
  const compare = (what: string, wanted: string, got: string): void => {
    if (wanted !== got) found.push(`${what}: ${got}, not ${wanted}`)
  }
  compare('verdict', fate.verdict, observed.verdict)
  compare('reason', fate.reason, observed.reason)
  if (!fate.rewrite) {
    return [...found, ...byteDifference(input, observed.data)]
  }
  const expected = expectedFrame(input, fate)
  found.push(...byteDifference(withoutChecksums(expected), withoutChecksums(observed.data)))
  const before = parseFrame(input, LOOSE)
  const after = parseFrame(observed.data, LOOSE)
  if (typeof before === 'string' || typeof after === 'string') return [...found, 'not a packet any more']
  const [was, is] = [residuals(input, before), residuals(observed.data, after)]
  compare('error of the IPv4 checksum', String(was.header), String(is.header))
  compare(`error of the ${before.protocol} checksum`, String(was.l4), String(is.l4))
  const absent = (frame: Uint8Array): string => String(isAbsent(frame, before))
  compare('absence of a UDP checksum', absent(input), absent(observed.data))
  return found
}
