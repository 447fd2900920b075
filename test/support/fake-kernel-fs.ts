/** Folders and pins of the fake's bpf file system. */
import { LbError } from '../../src/engine/model/errors.ts'
import type { BpffsPort } from '../../src/engine/ports/kernel.ts'
import { errno, findNode, MOUNT, newId, parentOf } from './fake-kernel-state.ts'
import type { FakeObject } from './fake-kernel-state.ts'
import type { Session } from './fake-kernel-session.ts'

export function fakeBpffs(session: Session): BpffsPort {
  const { state } = session
  return {
    list(path) {
      session.call(`list ${path}`)
      const node = findNode(state, path)
      if (node && node.kind !== 'folder') throw errno('ENOTDIR', path)
      return node && [...node.children.keys()].sort()
    },
    makeDirectory(path) {
      if (!`${path}/`.startsWith(`${MOUNT}/`)) throw new LbError('host', `${path} is in no bpf file system`)
      const parts = path.slice(MOUNT.length + 1).split('/')
      for (const i of parts.keys()) makeFolder(session, `${MOUNT}/${parts.slice(0, i + 1).join('/')}`)
    },
    rename(from, to) {
      session.call(`rename ${from} ${to}`)
      const source = parentOf(state, from)
      const target = parentOf(state, to)
      const node = source.folder.children.get(source.name)
      if (!node) throw errno('ENOENT', from)
      const replaced = target.folder.children.get(target.name)
      if (replaced?.kind === 'folder' && replaced.children.size > 0) throw errno('ENOTEMPTY', to)
      requireName(target.name)
      source.folder.children.delete(source.name)
      target.folder.children.set(target.name, node)
    },
    remove: (path) => removeTree(session, path),
  }
}

function makeFolder(session: Session, path: string): void {
  const { folder, name } = parentOf(session.state, path)
  const present = folder.children.get(name)
  if (present?.kind === 'folder') return
  session.call(`mkdir ${path}`)
  if (present) throw errno('EEXIST', path)
  requireName(name)
  folder.children.set(name, { kind: 'folder', inode: newId(session.state), children: new Map() })
}

/** One call for each pin and folder, as `rm -r` makes them: it can be killed in between. */
function removeTree(session: Session, path: string): void {
  session.call(`remove ${path}`)
  const node = findNode(session.state, path)
  if (!node) return
  if (node.kind === 'folder') {
    for (const name of [...node.children.keys()]) removeTree(session, `${path}/${name}`)
    if (node.children.size > 0) session.call(`rmdir ${path}`)
  }
  const { folder, name } = parentOf(session.state, path)
  folder.children.delete(name)
}

/** bpffs keeps names with a dot for itself. */
function requireName(name: string): void {
  if (name.includes('.')) throw errno('EPERM', name)
}

export function pinObject(session: Session, object: FakeObject, path: string): void {
  session.call(`pin ${path}`)
  const { folder, name } = parentOf(session.state, path)
  requireName(name)
  if (folder.children.has(name)) throw errno('EEXIST', `pin ${path}`)
  folder.children.set(name, object)
}

/** What is pinned at `path`; EINVAL where that is of another kind. */
export function openPin<K extends FakeObject['kind']>(
  session: Session,
  path: string,
  kind: K,
): Extract<FakeObject, { kind: K }> | undefined {
  session.call(`open ${path}`)
  const node = findNode(session.state, path)
  if (!node) return undefined
  if (node.kind !== kind) throw errno('EINVAL', `${path} is no ${kind}`)
  return node as Extract<FakeObject, { kind: K }>
}
