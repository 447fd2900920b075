/** Folders and pins in bpffs. */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isBpffs } from '../../native/index.ts'
import { LbError } from '../engine/model/errors.ts'
import type { BpffsPort } from '../engine/ports/kernel.ts'
import { attempt, unless } from './errors.ts'

export const bpffs: BpffsPort = {
  list: (path) => unless(['ENOENT'], () => readdirSync(path).sort()),
  makeDirectory(path) {
    requireBpffs(path)
    attempt(() => mkdirSync(path, { recursive: true, mode: 0o750 }))
  },
  rename: (from, to) => attempt(() => renameSync(from, to)),
  remove: (path) => attempt(() => rmSync(path, { recursive: true, force: true })),
}

/** Pins only exist in a bpf file system: anywhere else `mkdir` would silently make an ordinary folder. */
function requireBpffs(path: string): void {
  const present = nearestExisting(path)
  if (attempt(() => isBpffs(present))) return
  throw new LbError('host', `no bpf file system is mounted at /sys/fs/bpf (nearest folder: ${present})`, {
    hint: 'mount it: mount -t bpf bpf /sys/fs/bpf',
  })
}

function nearestExisting(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    if (unless(['ENOENT'], () => statSync(at)) || at === '/') return at
  }
}
