/** Reading standard input to its end. */
import { readSync } from 'node:fs'

const PAUSE_MS = 5

/**
 * Waits for whoever writes it. oclif has by now made a pipe one that does not block, and readFileSync fails
 * where the other end is slower, as in `lb show | lb plan -c -`.
 */
export function readStdin(): string {
  const chunks: Buffer[] = []
  const never = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536)
    try {
      const size = readSync(0, chunk)
      if (size === 0) return Buffer.concat(chunks).toString('utf8')
      chunks.push(chunk.subarray(0, size))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(never, 0, 0, PAUSE_MS)
    }
  }
}
