import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mustRun } from '../support/lab/run.ts'
import { runChild, vethPair } from '../support/native-child.ts'
import { compileBpf, pinFolder } from '../support/native.ts'

describe('XDP links', () => {
  test('attach, see packets, take another program and detach', async () => {
    const { near, far } = await vethPair()
    const seen = await runChild(
      async (native, { object: path, far }) => {
        const { execFileSync } = process.getBuiltinModule('node:child_process')
        const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
        const object = native.BpfObject.load(path)
        const count = object.program('xdp_count')
        const drop = object.program('xdp_drop')
        const link = native.BpfLink.attachXdp(count, ifindex, 'native')
        const before = link.info
        const record = await new Promise((resolve) => {
          const events = new native.RingBuffer(object.map('events'), (bytes) => {
            events.close()
            resolve([...bytes])
          })
          // Any frame will do: the neighbour solicitation of an address that nobody has.
          execFileSync('nsenter', [
            `--net=/run/netns/${far}`,
            'ip',
            'address',
            'add',
            '10.9.9.1/24',
            'dev',
            'v1',
          ])
          execFileSync('nsenter', [`--net=/run/netns/${far}`, 'bash', '-c', 'echo x > /dev/udp/10.9.9.2/9'])
        })
        link.update(drop)
        const after = link.info
        link.detach()
        const detached = link.info
        const expected = { count: count.info.id, drop: drop.info.id, ifindex }
        return { before, after, detached, record, expected }
      },
      { object: compileBpf('native'), far },
      near,
    )
    const { count, drop, ifindex } = seen.expected
    expect(seen.before).toEqual({ id: seen.before.id, type: 'xdp', programId: count, ifindex })
    expect(seen.after).toEqual({ ...seen.before, programId: drop })
    expect(seen.detached).toMatchObject({ type: 'xdp', ifindex: 0 })
    expect(seen.record).toEqual([7, 0, 0, 0, 80, 0, 187, 1])
  })

  test('attach in generic mode', async () => {
    const { near } = await vethPair()
    const { attached, detached, id } = await runChild(
      (native, path) => {
        const { execFileSync } = process.getBuiltinModule('node:child_process')
        const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
        const object = native.BpfObject.load(path, { programs: ['xdp_drop'] })
        const program = object.program('xdp_drop')
        const look = () => ({
          shown: execFileSync('ip', ['link', 'show', 'v0'], { encoding: 'utf8' }),
          seen: native.interfaces().find(({ name }) => name === 'v0')!,
        })
        const link = native.BpfLink.attachXdp(program, ifindex, 'generic')
        const attached = look()
        link.close()
        return { attached, detached: look(), id: program.info.id }
      },
      compileBpf('native'),
      near,
    )
    expect(attached.shown).toContain('xdpgeneric')
    expect(attached.seen).toMatchObject({ xdpProgram: id, xdpGeneric: true })
    expect(detached.shown).not.toContain('xdp')
    expect(detached.seen.xdpProgram).toBeUndefined()
  })

  test('are refused where another is, and where there is no interface', async () => {
    const { near } = await vethPair()
    const errors = await runChild(
      (native, path) => {
        const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
        const object = native.BpfObject.load(path)
        const xdp = object.program('xdp_drop')
        const tc = object.program('tc_pass')
        const first = native.BpfLink.attachXdp(xdp, ifindex, 'native')
        const attempts = [
          () => native.BpfLink.attachXdp(xdp, ifindex, 'native'),
          () => native.BpfLink.attachXdp(xdp, 9999, 'generic'),
          () => native.BpfLink.attachTcx(tc, 9999, 'ingress'),
          () => native.BpfLink.attachXdp(tc, ifindex, 'native'),
          () => first.update(tc),
        ]
        return attempts.map((attempt) => {
          try {
            attempt()
            return undefined
          } catch (error) {
            return Object.assign({}, error as Error, {
              message: (error as Error).message.replace(String(ifindex), 'v0'),
            })
          }
        })
      },
      compileBpf('native'),
      near,
    )
    expect(errors).toEqual([
      {
        code: 'EBUSY',
        errno: 16,
        syscall: 'bpf(BPF_LINK_CREATE)',
        message: 'attach an XDP program to interface v0 (native): Device or resource busy (EBUSY)',
      },
      expect.objectContaining({ code: 'EINVAL' }),
      expect.objectContaining({ code: 'ENODEV' }),
      expect.objectContaining({ code: 'EINVAL' }),
      expect.objectContaining({ syscall: 'bpf(BPF_LINK_UPDATE)', code: 'EINVAL' }),
    ])
  })

  test('know when their interface is gone', async () => {
    const { near } = await vethPair()
    const ifindexes = await runChild(
      (native, path) => {
        const { execFileSync } = process.getBuiltinModule('node:child_process')
        const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
        const object = native.BpfObject.load(path)
        const links = [
          native.BpfLink.attachXdp(object.program('xdp_drop'), ifindex, 'native'),
          native.BpfLink.attachTcx(object.program('tc_pass'), ifindex, 'ingress'),
        ]
        execFileSync('ip', ['link', 'delete', 'v0'])
        return links.map((link) => link.info.ifindex)
      },
      compileBpf('native'),
      near,
    )
    expect(ifindexes).toEqual([0, 0])
  })
})

describe('tcx links', () => {
  test('attach in both directions, update and detach', async () => {
    const { near } = await vethPair()
    const { infos, ids, ifindex } = await runChild(
      (native, path) => {
        const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
        const object = native.BpfObject.load(path)
        const count = object.program('tc_count')
        const pass = object.program('tc_pass')
        const ingress = native.BpfLink.attachTcx(count, ifindex, 'ingress')
        const egress = native.BpfLink.attachTcx(count, ifindex, 'egress')
        const infos = [ingress.info, egress.info]
        egress.update(pass)
        infos.push(egress.info)
        ingress.detach()
        infos.push(ingress.info)
        return { infos, ids: [count.info.id, pass.info.id], ifindex }
      },
      compileBpf('native'),
      near,
    )
    expect(infos).toMatchObject([
      { type: 'tcx', programId: ids[0], ifindex, direction: 'ingress' },
      { type: 'tcx', programId: ids[0], ifindex, direction: 'egress' },
      { type: 'tcx', programId: ids[1], ifindex, direction: 'egress' },
      { type: 'tcx', ifindex: 0 },
    ])
  })

  test('see packets', async () => {
    const { near, far } = await vethPair()
    await runChild(
      async (native, { path, far }) => {
        const { execFileSync } = process.getBuiltinModule('node:child_process')
        const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
        const object = native.BpfObject.load(path)
        const link = native.BpfLink.attachTcx(object.program('tc_count'), ifindex, 'ingress')
        await new Promise<void>((resolve) => {
          const events = new native.RingBuffer(object.map('events'), () => {
            events.close()
            resolve()
          })
          execFileSync('nsenter', [
            `--net=/run/netns/${far}`,
            'ip',
            'address',
            'add',
            '10.9.9.1/24',
            'dev',
            'v1',
          ])
          execFileSync('nsenter', [`--net=/run/netns/${far}`, 'bash', '-c', 'echo x > /dev/udp/10.9.9.2/9'])
        })
        link.close()
      },
      { path: compileBpf('native'), far },
      near,
    )
  })
})

test('pinned links hold after their process has ended', async () => {
  const { near } = await vethPair()
  const folder = pinFolder()
  const args = { path: compileBpf('native'), xdp: join(folder, 'xdp'), tcx: join(folder, 'tcx') }
  const first = await runChild(
    (native, { path, xdp, tcx }) => {
      const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
      const object = native.BpfObject.load(path)
      const links = [
        native.BpfLink.attachXdp(object.program('xdp_drop'), ifindex, 'native'),
        native.BpfLink.attachTcx(object.program('tc_pass'), ifindex, 'ingress'),
      ]
      links[0]!.pin(xdp)
      links[1]!.pin(tcx)
      return links.map((link) => link.info)
    },
    args,
    near,
  )
  expect(await mustRun(['ip', '-n', near, 'link', 'show', 'v0'])).toContain('xdp')
  const second = await runChild((native, { path, xdp, tcx }) => {
    const links = [native.BpfLink.openPinned(xdp), native.BpfLink.openPinned(tcx)]
    const before = links.map((link) => link.info)
    links[0]!.update(native.BpfObject.load(path).program('xdp_rewrite'))
    const after = links[0]!.info
    for (const link of links) link.detach()
    return { before, after }
  }, args)
  expect(second.before).toEqual(first)
  expect(second.after.id).toBe(first[0]!.id)
  expect(second.after.programId).not.toBe(first[0]!.programId)
  expect(await mustRun(['ip', '-n', near, 'link', 'show', 'v0'])).not.toContain('xdp')
})
