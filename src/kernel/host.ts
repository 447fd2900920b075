/** The engine's host port: Node's clock, hashes and compression. */
import { createHash } from 'node:crypto'
import { userInfo } from 'node:os'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { HostPort } from '../engine/ports/host.ts'

export const host: HostPort = {
  now: () => new Date().toISOString().replace(/\.[0-9]+Z$/, 'Z'),
  monotonicMs,
  clocks: () => ({ monotonic: monotonicMs(), utc: Date.now() }),
  get user() {
    return process.env['SUDO_USER'] ?? userName()
  },
  digest(parts) {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return hash.digest('hex')
  },
  deflate: (bytes) => deflateRawSync(bytes, { level: 1 }),
  inflate: (bytes) => inflateRawSync(bytes),
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

/** A numeric id may have no name, as in a container. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
