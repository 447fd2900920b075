/** The lock of an instance: flock on its folder in bpffs, which the kernel frees when its holder dies. */
import { readFileSync, statSync } from 'node:fs'
import { DirectoryLock } from '../../native/index.ts'
import { LbError } from '../engine/model/errors.ts'
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

/** How long `lock` waits, in milliseconds. */
const PATIENCE = 5000
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Holds the whole process up meanwhile: for locks that others have for moments. */
export function lock(path: string): Disposable {
  const end = performance.now() + PATIENCE
  for (;;) {
    const taken = tryLock(path)
    if (taken) return taken
    if (!unless(['ENOENT'], () => statSync(path))) throw new LbError('state', `${path} is missing`)
    if (performance.now() > end) {
      const holder = lockHolder(path)
      throw new LbError('locked', `${path} has been locked for too long`, {
        hint: holder ? `by process ${holder.pid} (${holder.command})` : 'by another process',
      })
    }
    Atomics.wait(sleeper, 0, 0, 1)
  }
}

/** From /proc/locks: `1: FLOCK  ADVISORY  WRITE 1234 00:1f:5678 0 EOF`, device and inode. */
export function lockHolder(path: string): LockHolder | undefined {
  const folder = unless(['ENOENT'], () => statSync(path))
  if (!folder) return undefined
  const wanted = `${deviceName(folder.dev)}:${folder.ino}`
  const locks = unless(['ENOENT', 'EACCES'], () => readFileSync('/proc/locks', 'utf8')) ?? ''
  for (const line of locks.split('\n')) {
    const [, kind, , , pid, place] = line.trim().split(/\s+/)
    if (kind === 'FLOCK' && place === wanted) return describeProcess(Number(pid))
  }
  return undefined
}

/** Major and minor number, as /proc/locks writes them. */
function deviceName(dev: number): string {
  const major = (dev >> 8) & 0xfff
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00)
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':')
}

function describeProcess(pid: number): LockHolder {
  const read = (file: string): string =>
    unless(['ENOENT', 'EACCES', 'ESRCH'], () => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? ''
  const command = read('cmdline').replace(/\0/g, ' ').trim()
  const uid = /^Uid:\s+([0-9]+)/m.exec(read('status'))?.[1]
  return { pid, command: command || 'unknown', user: uid && userName(uid), since: startTime(read('stat')) }
}

/** Ticks of a second that /proc counts in, on every architecture that lb runs on. */
const TICKS = 100

/** When the process of this /proc/<pid>/stat began; the times of the folder itself say something else. */
function startTime(stat: string): string | undefined {
  // The name, in parentheses, may hold anything.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  const boot = /^btime ([0-9]+)$/m.exec(attempt(() => readFileSync('/proc/stat', 'utf8')))?.[1]
  if (ticks === undefined || boot === undefined) return undefined
  return new Date((Number(boot) + Number(ticks) / TICKS) * 1000).toISOString()
}

function userName(uid: string): string {
  const passwd = attempt(() => readFileSync('/etc/passwd', 'utf8'))
  const line = passwd.split('\n').find((entry) => entry.split(':')[2] === uid)
  return line?.split(':')[0] ?? uid
}
