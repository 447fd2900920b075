// @ts-check
import { readFileSync } from 'node:fs'
import { exec, SetupError } from './exec.mjs'

const mountPoint = '/sys/fs/bpf'

function isMounted() {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return mounts.some((line) => {
    const [, where, type] = line.split(' ')
    return where === mountPoint && type === 'bpf'
  })
}

/** Mounts the file system that pinned maps and programs live in. Needs root. */
export async function ensureBpffs() {
  if (isMounted()) return
  if (process.getuid?.() !== 0) {
    throw new SetupError(`bpffs is not mounted. As root:\n\n  mount -t bpf bpf ${mountPoint}`)
  }
  console.log(`Mounting bpffs at ${mountPoint}`)
  await exec('mount', ['-t', 'bpf', 'bpf', mountPoint])
}
