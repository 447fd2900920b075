/** The lock of an instance: flock on its folder in bpffs, which the kernel frees when its holder dies. */
import { readFileSync, statSync } from 'node:fs'
import { DirectoryLock } from '../../native/index.ts'
import type { LockHolder } from '../engine/ports/kernel.ts'
import { attempt, unless } from './errors.ts'

/** `undefined` where another process holds it, or the folder was replaced meanwhile. */
export function tryLock(path: string): Disposable | undefined {
  const before = unless(['ENOENT'], () => statSync(path).ino)
  if (before === undefined) return undefined
  const lock = unless(['ENOENT'], () => DirectoryLock.tryAcquire(path))
  if (!lock) return undefined
  if (unless(['ENOENT'], () => statSync(path).ino) === before) return lock
  lock.close()
  return undefined
}

/** From /proc/locks: `1: FLOCK  ADVISORY  WRITE 1234 00:1f:5678 0 EOF`. */
export function lockHolder(path: string): LockHolder | undefined {
  const inode = unless(['ENOENT'], () => statSync(path).ino)
  const locks = unless(['ENOENT', 'EACCES'], () => readFileSync('/proc/locks', 'utf8')) ?? ''
  for (const line of locks.split('\n')) {
    const [, kind, , , pid, place] = line.trim().split(/\s+/)
    if (kind === 'FLOCK' && place?.endsWith(`:${inode}`)) return describeProcess(Number(pid))
  }
  return undefined
}

function describeProcess(pid: number): LockHolder {
  const read = (file: string): string =>
    unless(['ENOENT', 'EACCES', 'ESRCH'], () => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? ''
  const command = read('cmdline').replace(/\0/g, ' ').trim()
  const since = unless(['ENOENT'], () => statSync(`/proc/${pid}`).ctime.toISOString())
  const uid = /^Uid:\s+([0-9]+)/m.exec(read('status'))?.[1]
  return { pid, command: command || 'unknown', user: uid && userName(uid), since }
}

function userName(uid: string): string {
  const passwd = attempt(() => readFileSync('/etc/passwd', 'utf8'))
  const line = passwd.split('\n').find((entry) => entry.split(':')[2] === uid)
  return line?.split(':')[0] ?? uid
}
