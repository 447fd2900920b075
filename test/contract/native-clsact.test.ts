import { describe, expect, test } from 'vitest'
import { mustRun } from '../support/lab/run.ts'
import { runChild, vethPair } from '../support/native-child.ts'
import { compileBpf } from '../support/native.ts'

describe('clsact filters', () => {
  test('attach, replace, are found and go', async () => {
    const { near } = await vethPair()
    const result = await runChild(
      (native, path) => {
        const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
        const object = native.BpfObject.load(path)
        const count = object.program('tc_count')
        const pass = object.program('tc_pass')
        const ingress = { ifindex, direction: 'ingress', handle: 1, priority: 10 } as const
        const egress = { ...ingress, direction: 'egress' } as const
        const found: (number | undefined)[] = [native.clsactQuery(ingress)]
        native.clsactAttach(count, ingress)
        found.push(native.clsactQuery(ingress), native.clsactQuery(egress))
        native.clsactAttach(pass, ingress)
        native.clsactAttach(pass, egress)
        found.push(native.clsactQuery(ingress), native.clsactQuery(egress))
        native.clsactDetach(ingress)
        found.push(native.clsactQuery(ingress), native.clsactQuery(egress))
        return { found: found.map((id) => id ?? 'none'), ids: [count.info.id, pass.info.id] }
      },
      compileBpf('native'),
      near,
    )
    const [count, pass] = result.ids
    expect(result.found).toEqual(['none', count, 'none', pass, pass, 'none', pass])
    expect(await mustRun(['tc', '-n', near, 'filter', 'show', 'dev', 'v0', 'egress'])).toContain('tc_pass')
  })

  test('fail with what the kernel says', async () => {
    const { near } = await vethPair()
    const errors = await runChild(
      (native, path) => {
        const { ifindex } = native.interfaces().find(({ name }) => name === 'v0')!
        const object = native.BpfObject.load(path)
        const filter = { ifindex, direction: 'ingress', handle: 1, priority: 10 } as const
        const attempts = [
          () => native.clsactAttach(object.program('tc_pass'), { ...filter, ifindex: 9999 }),
          () => native.clsactAttach(object.program('xdp_drop'), filter),
          () => native.clsactDetach(filter),
          () => native.clsactQuery({ ...filter, ifindex: 9999 }),
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
      expect.objectContaining({ code: 'ENODEV', syscall: 'netlink(RTM_NEWQDISC)' }),
      expect.objectContaining({ code: 'EINVAL', syscall: 'netlink(RTM_NEWTFILTER)' }),
      expect.objectContaining({ code: 'ENOENT', syscall: 'netlink(RTM_DELTFILTER)' }),
      expect.objectContaining({ code: 'ENODEV', syscall: 'netlink(RTM_GETTFILTER)' }),
    ])
  })
})
