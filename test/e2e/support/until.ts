import { setTimeout as pause } from 'node:timers/promises'

/** Looks again and again until `probe` gives something other than undefined or false. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 20_000,
): Promise<T> {
  const late = performance.now() + timeoutMs
  for (;;) {
    const found = await probe()
    if (found !== undefined && found !== false) return found
    if (performance.now() > late) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await pause(20)
  }
}
