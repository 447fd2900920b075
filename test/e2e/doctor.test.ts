import { expect, test } from 'vitest'
import { createLab, type Lab } from '../support/netns.ts'
import { apply, config, proxy, targets, web, type Config } from './support/lb.ts'
import { lbAsNobody } from './support/nobody.ts'

/** What doctor says is wrong keeps traffic from flowing, and where it finds nothing, traffic flows. */

interface Report {
  readonly formatVersion: number
  readonly ok: boolean
  readonly findings: readonly { id: string; status: string; title: string; detail: string; fix?: string }[]
}

async function examine(
  lab: Lab,
  content: Config,
): Promise<{ code: number; report: Report; errors: string[] }> {
  lab.write('lb.yaml', content)
  const { code, json, stderr } = await lab.lbCli(['doctor', '--json'])
  expect(stderr).toBe('')
  const report = json() as Report
  const errors = report.findings.filter(({ status }) => status === 'error').map(({ id }) => id)
  expect(report).toMatchObject({ formatVersion: 1, ok: errors.length === 0 })
  expect(code).toBe(errors.length === 0 ? 0 : 1)
  return { code, report, errors }
}

test('a host that can run the configuration', async () => {
  await using lab = await createLab({ ipv6: true })
  const six = proxy('six', targets(lab.backends, { family: 'ipv6' }), { address: '2001:db8:f::10' })
  const both = config([...web(lab).proxies, six])
  const { code, report } = await examine(lab, both)
  expect(code).toBe(0)
  const ids = report.findings.map(({ id }) => id)
  for (const id of [
    'kernel',
    'btf',
    'bpffs',
    'capabilities',
    'interface:front0',
    'interface:back0',
    'forwarding-ipv4',
    'forwarding-ipv6',
    'routes',
  ]) {
    expect(ids).toContain(id)
  }
  await apply(lab, both)
  expect((await examine(lab, both)).report.findings.filter(({ status }) => status !== 'ok')).toEqual([])
  const { stdout } = await lab.lbCli(['doctor'])
  expect(stdout).toMatch(/^ok {7}kernel /)
  expect(stdout).toMatch(/\nAll is well\.\n$/)
  const alone = await lab.lbCli(['doctor'], { cwd: '/', env: { LB_CONFIG: undefined } })
  expect(alone.code).toBe(0)
  expect(alone.stderr).toContain('checking the machine only')
})

test('each thing that would stop an apply or its traffic is found, with its remedy', async () => {
  await using lab = await createLab({ ipv6: true })
  const good = web(lab)

  await lab.lb.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=0'])
  const forwarding = await examine(lab, good)
  expect(forwarding.errors).toEqual(['forwarding-ipv4'])
  const { fix } = forwarding.report.findings.find(({ id }) => id === 'forwarding-ipv4')!
  await lab.lb.exec(['sh', '-c', fix!])
  expect((await examine(lab, good)).errors).toEqual([])

  await lab.lb.exec(['ip', 'link', 'set', 'front0', 'down'])
  const down = await examine(lab, good)
  expect(down.errors).toEqual(['interface-down:front0'])
  await lab.lb.exec(['sh', '-c', down.report.findings.find(({ status }) => status === 'error')!.fix!])
  expect((await examine(lab, good)).errors).toEqual([])

  const missing = await examine(
    lab,
    config([proxy('web', targets(lab.backends), { interfaces: ['front0', 'wan7'] })]),
  )
  expect(missing.errors).toEqual(['interface:wan7'])

  await lab.lb.exec(['ip', 'route', 'add', 'unreachable', '192.168.7.0/24'])
  const unreachable = await examine(
    lab,
    config([
      proxy('web', [
        { ip: '192.168.7.1', port: 80 },
        { ip: '192.168.8.1', port: 80 },
      ]),
    ]),
  )
  expect(unreachable.errors).toEqual(['route:192.168.7.1', 'route:192.168.8.1'])

  await lab.lb.exec(['sysctl', '-qw', 'net.ipv4.conf.front0.rp_filter=1'])
  const { code, report } = await examine(lab, good)
  expect(code).toBe(0)
  expect(report.findings.find(({ id }) => id === 'rp-filter:front0')).toMatchObject({ status: 'warning' })
})

test('missing rights are found', async () => {
  await using lab = await createLab({ backends: 1 })
  lab.write('lb.yaml', web(lab))
  const nobody = await lbAsNobody(lab, ['doctor', '--json'])
  expect(nobody.code).toBe(1)
  const { findings } = nobody.json() as Report
  expect(findings.find(({ id }) => id === 'capabilities')).toMatchObject({
    status: 'error',
    title: 'this process lacks CAP_BPF and CAP_NET_ADMIN',
  })
  const wrap = ['capsh', '--drop=cap_net_admin,cap_sys_admin', '--', '-c', 'exec "$0" "$@"']
  const { code, stdout } = await lab.lbCli(['doctor'], { wrap })
  expect(code).toBe(1)
  expect(stdout).toMatch(/^error {4}this process lacks CAP_NET_ADMIN$/m)
  expect(stdout).toMatch(/\n1 error, \d+ warnings?\n$/)
})
