/** Links of the fake. One lives as long as it is pinned; detaching is unpinning. */
import type { KernelPort, LinkPort } from '../../src/engine/ports/kernel.ts'
import { openPin, pinObject } from './fake-kernel-fs.ts'
import { fakeProgramOf } from './fake-kernel-plane.ts'
import { errno, findNode, linksOf, newId, parentOf } from './fake-kernel-state.ts'
import type { FakeLink, FakeState } from './fake-kernel-state.ts'
import type { Session } from './fake-kernel-session.ts'

export function fakeLinks(session: Session): Pick<KernelPort, 'attach' | 'detach' | 'openLink'> {
  const { state } = session
  return {
    attach(program, ifindex, hook, path) {
      session.call(`attach ${hook} to ${ifindex}`)
      const device = state.interfaces.find((item) => item.ifindex === ifindex)
      if (!device) throw errno('ENODEV', `attach to interface ${ifindex}`)
      if (hook.startsWith('xdp')) requireFreeXdp(state, ifindex, hook)
      if (hook === 'xdp' && !device.xdp?.native) throw errno('EOPNOTSUPP', `attach to ${device.name}`)
      const link: FakeLink = {
        kind: 'link',
        id: newId(state),
        ifindex,
        hook,
        program: fakeProgramOf(program),
      }
      pinObject(session, link, path)
    },
    detach(path) {
      session.call(`detach ${path}`)
      if (findNode(state, path) === undefined) return
      const { folder, name } = parentOf(state, path)
      folder.children.delete(name)
    },
    openLink(path) {
      const link = openPin(session, path, 'link')
      return link && linkPort(session, link)
    },
  }
}

/** An interface runs one XDP program, and never a native and a generic one. */
function requireFreeXdp(state: FakeState, ifindex: number, hook: FakeLink['hook']): void {
  const other = linksOf(state).find((link) => link.ifindex === ifindex && link.hook.startsWith('xdp'))
  if (other) throw errno(other.hook === hook ? 'EBUSY' : 'EEXIST', `attach ${hook} to ${ifindex}`)
}

function linkPort(session: Session, link: FakeLink): LinkPort {
  const { use, close } = session.descriptor(link)
  return {
    get info() {
      session.call(`describe link ${link.id}`)
      const { program, ifindex } = use()
      const present = session.state.interfaces.some((item) => item.ifindex === ifindex)
      return { programId: program.id, ifindex: present ? ifindex : 0 }
    },
    update(program) {
      session.call(`update link ${link.id}`)
      use().program = fakeProgramOf(program)
    },
    [Symbol.dispose]: close,
  }
}
