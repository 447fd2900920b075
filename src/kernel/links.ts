/**
 * Attaching. Kernels before 6.6 have no tcx: there a filter on the clsact qdisc takes its place, and
 * the program itself is pinned where the link would be, to say that it is attached.
 */
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { BpfLink, clsactAttach, clsactDetach, clsactQuery, interfaces } from '../../native/index.ts'
import type { BpfProgram, ClsactFilter, TcDirection } from '../../native/index.ts'
import { unescapePin } from '../engine/model/paths.ts'
import type { Hook, LinkPort, ProgramPort } from '../engine/ports/kernel.ts'
import { attempt, translate, isSystemError, unless } from './errors.ts'
import { nativeProgram } from './programs.ts'
import { bpffs } from './bpffs.ts'

/** How filters of an instance are told from those of others: a handle made of its name. */
function filterOf(path: string, ifindex: number, direction: TcDirection): ClsactFilter {
  const instance = dirname(dirname(path))
  let handle = 0
  for (const char of instance) handle = (handle * 31 + char.charCodeAt(0)) & 0xffff
  return { ifindex, direction, handle: handle + 1, priority: 1 }
}

const TC_DIRECTION: Partial<Record<Hook, TcDirection>> = { 'tcx-ingress': 'ingress', 'tcx-egress': 'egress' }

/** What the pin `…/link/eth0:tcx-ingress` is about. */
function placeOf(path: string): { name: string; hook: Hook } {
  const pin = path.slice(path.lastIndexOf('/') + 1)
  const colon = pin.lastIndexOf(':')
  return { name: unescapePin(pin.slice(0, colon)), hook: pin.slice(colon + 1) as Hook }
}

/** `tcx: false` does without tcx links even where the kernel has them. */
export function makeLinks({ tcx }: { tcx: boolean }): {
  attach: (program: ProgramPort, ifindex: number, hook: Hook, path: string) => void
  detach: (path: string) => void
  openLink: (path: string) => LinkPort | undefined
} {
  return {
    attach(program, ifindex, hook, path) {
      const bpf = nativeProgram(program)
      const direction = TC_DIRECTION[hook]
      if (direction === undefined) {
        using link = attempt(() => BpfLink.attachXdp(bpf, ifindex, hook === 'xdp' ? 'native' : 'generic'))
        pinLink(link, path)
      } else if (!tcx || !attachTcx(bpf, ifindex, direction, path)) {
        attachFilter(bpf, filterOf(path, ifindex, direction), path)
      }
    },
    detach(path) {
      const link = openLinkOnly(path)
      if (link) {
        detachLink(link)
        link.close()
      } else {
        const { name, hook } = placeOf(path)
        const direction = TC_DIRECTION[hook]
        const ifindex = ifindexOf(name)
        if (direction && ifindex && isPinned(path)) {
          unless(['ENOENT', 'EINVAL', 'ENODEV'], () => clsactDetach(filterOf(path, ifindex, direction)))
        }
      }
      bpffs.remove(path)
    },
    openLink(path) {
      const link = openLinkOnly(path)
      return link ? linkPort(link) : clsactPort(path)
    },
  }
}

/** False where the kernel has no tcx. */
function attachTcx(program: BpfProgram, ifindex: number, direction: TcDirection, path: string): boolean {
  let link: BpfLink
  try {
    link = BpfLink.attachTcx(program, ifindex, direction)
  } catch (error) {
    if (isSystemError(error) && error.code === 'EINVAL') return false
    throw translate(error)
  }
  using attached = link
  pinLink(attached, path)
  return true
}

function pinLink(link: BpfLink, path: string): void {
  try {
    link.pin(path)
  } catch (error) {
    detachLink(link)
    throw translate(error)
  }
}

/** At once: the kernel takes a link that merely lost its last pin down a while later, and holds the hook until then. */
function detachLink(link: BpfLink): void {
  unless(['ENODEV', 'ENOLINK'], () => link.detach())
}

/** The pin first: it is what leads back to a filter that a killed process left. */
function attachFilter(program: BpfProgram, filter: ClsactFilter, path: string): void {
  attempt(() => program.pin(path))
  try {
    clsactAttach(program, filter)
  } catch (error) {
    bpffs.remove(path)
    throw translate(error)
  }
}

function openLinkOnly(path: string): BpfLink | undefined {
  return unless(['ENOENT', 'EINVAL'], () => BpfLink.openPinned(path))
}

function linkPort(link: BpfLink): LinkPort {
  return {
    get info() {
      return attempt(() => link.info)
    },
    update: (program) => attempt(() => link.update(nativeProgram(program))),
    [Symbol.dispose]: () => link.close(),
  }
}

function isPinned(path: string): boolean {
  const names = unless(['ENOENT'], () => readdirSync(dirname(path))) ?? []
  return names.includes(path.slice(path.lastIndexOf('/') + 1))
}

function ifindexOf(name: string): number | undefined {
  return attempt(() => interfaces()).find((item) => item.name === name)?.ifindex
}

/** The filter that the program pinned at `path` stands for. */
function clsactPort(path: string): LinkPort | undefined {
  if (!isPinned(path)) return undefined
  const { name, hook } = placeOf(path)
  const direction = TC_DIRECTION[hook]
  if (direction === undefined) return undefined
  const ifindex = ifindexOf(name) ?? 0
  const filter = filterOf(path, ifindex, direction)
  return {
    get info() {
      const programId = ifindex === 0 ? undefined : attempt(() => clsactQuery(filter))
      return { programId: programId ?? 0, ifindex: programId === undefined ? 0 : ifindex }
    },
    update(program) {
      attempt(() => clsactAttach(nativeProgram(program), filter))
      bpffs.remove(`${path}-next`)
      program.pin(`${path}-next`)
      bpffs.rename(`${path}-next`, path)
    },
    [Symbol.dispose]: () => undefined,
  }
}
