import { expect, test } from 'vitest'
import { dump, update } from './support/bpftool.ts'
import { ask, daemonStatus, watch } from './support/daemon.ts'
import { apply, pins, raw, useLab, web } from './support/lb.ts'

/** What others do to an instance while its daemon runs, and who may change what. */

const lab = useLab({ backends: 3 })

const weighted = (first: number) => web(lab(), [first, 90 - first, 10])
const shown = async () => /weight: (\d+)/.exec(await lab().lbMust(['show']))?.[1]
const applied = { event: 'reload', outcome: 'applied' }

test('an apply and a rollback by hand are adopted, and reported once each', async () => {
  lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab())
  const other = lab().write('other.yaml', weighted(20))
  await lab().lbMust(['apply', '--yes', '-c', other])
  expect(await daemon.line({ event: 'foreign' })).toMatchObject({ from: 1, to: 2, level: 'warn' })
  expect(await daemon.line({ event: 'drift' })).toMatchObject({
    level: 'warn',
    summary: { create: 0, update: 2, delete: 0 },
  })
  expect((await daemonStatus(lab())).agreement).toMatchObject({
    state: 'drifted',
    summary: { update: 2 },
    changes: [{ action: 'update', address: expect.stringContaining('proxy.web.target') as string }, {}],
  })
  await ask(lab(), 'POST', '/v1/compare')
  expect(await shown()).toBe('20')
  await lab().lbMust(['rollback'])
  expect(await daemon.line({ event: 'foreign' })).toMatchObject({ from: 2, to: 1 })
  expect(await daemon.line({ event: 'drift', level: 'info' })).toMatchObject({
    msg: expect.stringContaining('agree again') as string,
  })
  expect(daemon.lines.filter(({ event }) => event === 'drift')).toHaveLength(2)
  // Rolled back once more, the daemon is started anew: it leaves the person's choice alone.
  await lab().lbMust(['rollback', '--to', '2'])
  await daemon.line({ event: 'drift', level: 'warn' })
  await daemon.kill()
  {
    await using second = await watch(lab())
    expect(second.lines.find(({ event }) => event === 'reload')).toMatchObject({ outcome: 'drifted' })
    expect(await shown()).toBe('20')
    // SIGHUP says that the files are meant.
    second.signal('SIGHUP')
    await second.line(applied)
    expect(await shown()).toBe('50')
  }
})

test('onDrift: reconcile puts right what others did, an entry changed by hand and a whole instance too', async () => {
  lab().write('lb.yaml', weighted(50))
  await using daemon = await watch(lab(), ['--on-drift', 'reconcile'])
  const other = lab().write('other.yaml', weighted(20))
  await lab().lbMust(['apply', '--yes', '-c', other])
  await daemon.line({ event: 'foreign', to: 2 })
  expect(await daemon.line(applied)).toMatchObject({ trigger: 'kernel', generation: 3 })
  expect(await shown()).toBe('50')
  const members = pins(lab(), 'gen', '3', 'members')
  const [first] = await dump(members)
  await update(members, { key: first!.key, value: first!.value.map((byte, i) => (i === 4 ? 99 : byte)) })
  await ask(lab(), 'POST', '/v1/compare')
  expect(await daemon.line(applied)).toMatchObject({ trigger: 'kernel', generation: 4 })
  await lab().lbMust(['destroy', '--yes'])
  await daemon.line({ event: 'foreign', to: 0 })
  await daemon.line(applied)
  expect(await shown()).toBe('50')
})

test('--approve manual publishes the plan, and lb apply releases it', async () => {
  await apply(lab(), weighted(50))
  await using daemon = await watch(lab(), ['--approve', 'manual'])
  lab().write('lb.yaml', weighted(30))
  await daemon.line({ event: 'reload', outcome: 'pending' })
  expect((await daemonStatus(lab())).agreement).toMatchObject({ state: 'pending', summary: { update: 2 } })
  expect(await ask(lab(), 'GET', '/v1/plan')).toMatchObject({
    status: 200,
    body: { instance: lab().instance, summary: { update: 2 }, changes: [{}, {}] },
  })
  expect((await raw(lab())).generation).toBe(1)
  await lab().lbMust(['apply', '--yes'])
  expect(await daemon.line({ event: 'reload', outcome: 'released' })).toMatchObject({ generation: 2 })
  expect((await daemonStatus(lab())).agreement.state).toBe('in-sync')
  expect((await ask(lab(), 'GET', '/v1/plan')).status).toBe(404)
})

test('a file that takes most targets away is refused, and applied by a person', async () => {
  const many = Array.from({ length: 10 }, (_, i) => ({ ip: `10.0.0.${100 + i}`, port: 80 }))
  const [proxy] = web(lab()).proxies
  const withTargets = (defaultTarget: readonly object[]) => ({
    ...web(lab()),
    proxies: [{ ...proxy, defaultTarget }],
  })
  lab().write('lb.yaml', withTargets(many))
  await using daemon = await watch(lab())
  const file = lab().write('lb.yaml', withTargets(many.slice(0, 5)))
  expect(await daemon.line({ event: 'reload', outcome: 'refused' })).toMatchObject({
    msg: expect.stringContaining('5 of 10 targets') as string,
  })
  expect((await daemonStatus(lab())).agreement).toMatchObject({
    state: 'refused',
    message: expect.stringContaining('5 of 10') as string,
  })
  await lab().lbMust(['apply', '--yes', '--force', '-c', file])
  await daemon.line({ event: 'reload', outcome: 'released' })
})

test('an interface that goes and comes back is attached again', async () => {
  lab().write('lb.yaml', { ...weighted(50), interfaces: { extra0: { attach: 'tcx' } } })
  const make = () => lab().lb.exec(['ip', 'link', 'add', 'extra0', 'type', 'veth', 'peer', 'extra1'])
  const drop = () => lab().lb.exec(['ip', 'link', 'delete', 'extra0'])
  await using daemon = await watch(lab())
  // It is not there yet.
  expect(daemon.lines.find(({ event }) => event === 'reload')).toMatchObject({ outcome: 'failed' })
  await make()
  await daemon.line({ ...applied, trigger: 'retry' })
  await drop()
  await make()
  await ask(lab(), 'POST', '/v1/compare')
  expect(await daemon.line(applied)).toMatchObject({ trigger: 'kernel' })
  await drop()
})
