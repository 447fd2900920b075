/** The engine's kernel port over the addon: the only folder that loads it. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { possibleCpus } from '../../native/index.ts'
import { LbError } from '../engine/model/errors.ts'
import type { KernelPort } from '../engine/ports/kernel.ts'
import { bpffs } from './bpffs.ts'
import { unless } from './errors.ts'
import { makeLinks } from './links.ts'
import { lock, lockHolder, tryLock } from './lock.ts'
import { createMap, openMap, writeInners } from './maps.ts'
import { net } from './net.ts'
import { loadDataPlane, openProgram } from './programs.ts'

export interface KernelOptions {
  /** The data plane's compiled object. */
  readonly objectPath: string
  /** False: clsact filters even where the kernel has tcx links. */
  readonly tcx?: boolean
}

export function createKernel({ objectPath, tcx = true }: KernelOptions): KernelPort {
  let sha256: Uint8Array | undefined
  return {
    fs: bpffs,
    createMap,
    openMap,
    writeInners,
    openProgram,
    ...makeLinks({ tcx }),
    loadDataPlane: (options) => loadDataPlane(objectPath, options),
    get objectSha256() {
      sha256 ??= createHash('sha256').update(readObject(objectPath)).digest()
      return sha256
    },
    get possibleCpus() {
      return possibleCpus()
    },
    tryLock,
    lock,
    lockHolder,
    net,
  }
}

function readObject(path: string): Uint8Array {
  const bytes = unless(['ENOENT'], () => readFileSync(path))
  if (!bytes) {
    throw new LbError('host', `the data plane was not built: ${path} is missing`, { hint: 'npm run build' })
  }
  return bytes
}
