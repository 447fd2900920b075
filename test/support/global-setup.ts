import { existsSync } from 'node:fs'

/** Says at once, and once, what would otherwise fail test by test. */
export default function setup(): void {
  const missing = ['native/build/Release', 'build/bpf/lb.bpf.o', 'dist/commands'].filter(
    (path) => !existsSync(path),
  )
  if (missing.length > 0) process.stderr.write(`not built: ${missing.join(', ')}; npm test builds them\n`)
}
