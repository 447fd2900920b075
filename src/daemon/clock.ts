/** The clock that deadlines of confirmations are told in: the same for all processes of the host, and never set. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
