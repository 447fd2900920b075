/**
 * The kernel port in memory. A state is a host; each `fakeKernel` on it is a process, which a fault
 * may make fail or kill at any call.
 */
import type { NetInterface } from '../../src/engine/model/host.ts'
import { LbError } from '../../src/engine/model/errors.ts'
import type { KernelPort, LockHolder } from '../../src/engine/ports/kernel.ts'
import { openPin, fakeBpffs } from './fake-kernel-fs.ts'
import { fakeLinks } from './fake-kernel-links.ts'
import { createMap, mapPort, writeInners } from './fake-kernel-map.ts'
import { loadDataPlane, openProgram } from './fake-kernel-plane.ts'
import { makeSession } from './fake-kernel-session.ts'
import type { Fault, Session } from './fake-kernel-session.ts'
import { errno, findNode, linksOf, POSSIBLE_CPUS } from './fake-kernel-state.ts'
import type { FakeState } from './fake-kernel-state.ts'

export interface FakeKernelOptions {
  readonly fault?: Fault
  /** The version of the data plane's object that this process brings. */
  readonly object?: number
  readonly holder?: LockHolder
}

export interface FakeKernel extends KernelPort {
  readonly session: Session
}

const SOMEBODY: LockHolder = { pid: 1, command: 'lb', user: undefined, since: undefined }

export function fakeKernel(state: FakeState, options: FakeKernelOptions = {}): FakeKernel {
  const session = makeSession(state, options.fault ?? (() => undefined))
  const objectSha256 = new Uint8Array(32).fill(options.object ?? 1)
  const object = Buffer.from(objectSha256).toString('hex')
  return {
    session,
    fs: fakeBpffs(session),
    createMap: (spec) => createMap(session, spec),
    openMap(path) {
      const map = openPin(session, path, 'map')
      return map && mapPort(session, map)
    },
    writeInners: (rows) => writeInners(session, rows),
    openProgram: (path) => openProgram(session, path),
    loadDataPlane: (load) => loadDataPlane(session, object, load),
    objectSha256,
    possibleCpus: POSSIBLE_CPUS,
    ...fakeLinks(session),
    ...fakeLock(session, options.holder ?? SOMEBODY),
    net: {
      interfaces() {
        session.call('list interfaces')
        return state.interfaces.map((item) => ({ ...item, xdpProgram: xdpProgramOf(state, item.ifindex) }))
      },
      routes(addresses) {
        session.call('look up routes')
        return addresses.map((address) => state.routes[address])
      },
      neighbours() {
        session.call('list neighbours')
        return []
      },
    },
  }
}

function xdpProgramOf(state: FakeState, ifindex: number): NetInterface['xdpProgram'] {
  const link = linksOf(state).find((item) => item.ifindex === ifindex && item.hook.startsWith('xdp'))
  return link && { id: link.program.id, mode: link.hook === 'xdp' ? 'xdp' : 'xdp-generic' }
}

/** flock on a folder: of the inode, so a folder made anew under the same path is not locked. */
function fakeLock(session: Session, holder: LockHolder): Pick<KernelPort, 'tryLock' | 'lock' | 'lockHolder'> {
  const { state } = session
  const inodeOf = (path: string): number | undefined => {
    const node = findNode(state, path)
    if (node && node.kind !== 'folder') throw errno('ENOTDIR', path)
    return node?.inode
  }
  const tryLock = (path: string): Disposable | undefined => {
    session.call(`lock ${path}`)
    const inode = inodeOf(path)
    if (inode === undefined || state.locks.has(inode)) return undefined
    state.locks.set(inode, holder)
    const release = (): void => void state.locks.delete(inode)
    session.onDeath(release)
    return { [Symbol.dispose]: release }
  }
  return {
    tryLock,
    /** Nobody gives a lock back while this process waits: there is one thread. */
    lock(path) {
      const taken = tryLock(path)
      if (taken) return taken
      if (inodeOf(path) === undefined) throw new LbError('state', `${path} is missing`)
      throw new LbError('locked', `${path} has been locked for too long`)
    },
    lockHolder(path) {
      session.call(`ask who locks ${path}`)
      const inode = inodeOf(path)
      return inode === undefined ? undefined : state.locks.get(inode)
    },
  }
}
