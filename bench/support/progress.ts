/** A line on stderr that says how far we are. On a terminal it is written over by the next one. */
export function progress(text: string): void {
  const { isTTY, columns } = process.stderr
  process.stderr.write(isTTY ? `\r\u001b[K${text.slice(0, columns - 1)}` : `${text}\n`)
}

export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}
