import { readdirSync, renameSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createLab, type Lab } from '../support/netns.ts'
import { vip } from '../support/lab/topology.ts'
import { bpftool, row, update } from './support/bpftool.ts'
import { apply, ask, pins, plan, raw, useLab, web } from './support/lb.ts'

/** Hooks and pins that something else took away or put in the place of ours. */

const lab = useLab({})

const addresses = (rows: readonly { address: string }[]) => rows.map(({ address }) => address)

test('a link that was detached is drift, and repaired', async () => {
  await apply(lab(), web(lab()))
  await bpftool(['link', 'detach', 'pinned', pins(lab(), 'link/front0:tcx-ingress')])
  expect((await lab().client.curl(`http://${vip.ipv4}/`)).code).not.toBe(0)
  const found = await plan(lab())
  expect(addresses(found.drift)).toEqual(['interface.front0.hook["tcx-ingress"]'])
  expect(addresses(found.changes)).toEqual(['interface.front0.hook["tcx-ingress"]'])
  expect(await lab().lbMust(['apply', '--yes'])).toContain('Apply complete')
  expect(await ask(lab())).toMatch(/^b[123]$/)
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
})

test('a link whose pin was removed is drift, and repaired', async () => {
  await apply(lab(), web(lab()))
  rmSync(pins(lab(), 'link/front0:tcx-egress'))
  rmSync(pins(lab(), 'link/back0:tcx-ingress'))
  expect(addresses((await plan(lab())).drift)).toEqual([
    'interface.back0.hook["tcx-ingress"]',
    'interface.front0.hook["tcx-egress"]',
  ])
  await lab().lbMust(['apply', '--yes'])
  expect((await raw(lab())).links).toHaveLength(4)
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
})

test('an interface that was made anew is named, and attached again', async () => {
  await using own = await createLab({})
  await apply(own, web(own))
  expect(await ask(own)).toMatch(/^b[123]$/)
  await own.lb.exec(['ip', 'link', 'delete', 'front0'])
  const gone = await own.lbCli(['plan'])
  expect(gone.code).toBe(1)
  expect(gone.stderr).toMatch(/front0[^]*\[unknown-interface\]/)
  await makeFront(own)
  const found = await plan(own)
  const front = found.changes.find(({ address }) => address === 'interface.front0')!
  expect(front.action).toBe('update')
  expect(front.before!['ifindex']).not.toBe(front.after!['ifindex'])
  await own.lbMust(['apply', '--yes'])
  expect(await ask(own)).toMatch(/^b[123]$/)
  expect(await own.lbMust(['plan'])).toMatch(/^No changes\./)
  expect((await raw(own)).links.map(({ pin }) => pin)).toEqual([
    ...['back0:tcx-egress', 'back0:tcx-ingress', 'front0:tcx-egress', 'front0:tcx-ingress'],
  ])
})

/** The cable between the first client and the load balancer, as the lab made it. */
async function makeFront(own: Lab): Promise<void> {
  const { client, lb } = own
  await lb.exec([
    'ip',
    'link',
    'add',
    'front0',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    client.namespace,
  ])
  await lb.exec(['sh', '-ec', 'ip addr add 198.51.100.1/24 dev front0; ip link set front0 up'])
  const script = [
    `ip addr add ${client.address.ipv4}/24 dev eth0`,
    'ip link set eth0 up',
    'ip route add default via 198.51.100.1',
    'ethtool -K eth0 tx off',
  ]
  await client.exec(['sh', '-ec', script.join('; ')])
}

test('a map that something else unpinned is drift, and made again', async () => {
  await apply(lab(), web(lab()))
  rmSync(pins(lab(), 'gen/1/members'))
  const found = await plan(lab())
  expect(addresses(found.drift)).toContain('generation[1].members')
  await lab().lbMust(['apply', '--yes'])
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
  expect(await ask(lab())).toMatch(/^b[123]$/)
})

test('an outer table that points elsewhere is drift, and repaired', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  await apply(lab(), web(lab(), [20, 30, 50]))
  const { slot } = (await lab().lbCli(['show', '--json'])).json() as { slot: number }
  const old = ['pinned', pins(lab(), 'gen/1/members')]
  await bpftool([
    'map',
    'update',
    'pinned',
    pins(lab(), 'tables/members'),
    'key',
    ...row(slot),
    'value',
    ...old,
  ])
  expect(addresses((await plan(lab())).drift)).toEqual(['generation[2].members'])
  await lab().lbMust(['apply', '--yes'])
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
})

test('a foreign map in the place of a table is named, and stays as it is', async () => {
  await apply(lab(), web(lab()))
  for (const table of ['members', 'listeners']) {
    const path = pins(lab(), 'gen/1', table)
    rmSync(path)
    await bpftool([
      'map',
      'create',
      path,
      'type',
      'hash',
      'key',
      8,
      'value',
      24,
      'entries',
      7,
      'name',
      'foreign',
    ])
    for (const args of [['plan'], ['show'], ['apply', '--yes']]) {
      const { code, stderr } = await lab().lbCli(args)
      expect({ args, code }).toEqual({ args, code: 1 })
      expect(stderr).toContain(`gen/1/${table} is not a map that lb made`)
    }
  }
  await lab().lbMust(['destroy', '--yes'])
  await apply(lab(), web(lab()))
  expect(await ask(lab())).toMatch(/^b[123]$/)
})

test('what lacks half of its pins says so, and can be destroyed', async () => {
  for (const half of [0, 1]) {
    await apply(lab(), web(lab()))
    const names = readdirSync(pins(lab())).filter((_, i) => i % 2 === half)
    for (const name of names) rmSync(pins(lab(), name), { recursive: true })
    for (const args of [['plan'], ['show'], ['apply', '--yes'], ['rollback']]) {
      const { code, stderr } = await lab().lbCli(args)
      expect({ half, args, code }).toEqual({ half, args, code: 1 })
      expect(stderr).toMatch(/^Error: .*(is missing|no generation)[^]*hint: .*`lb destroy`/m)
      expect(stderr).not.toMatch(/^ +at /m)
    }
    await lab().lbMust(['destroy', '--yes'])
    await apply(lab(), web(lab()))
    expect(await ask(lab())).toMatch(/^b[123]$/)
    await lab().lbMust(['destroy', '--yes'])
  }
})

test('each pin that is missing is named, and nothing is changed', async () => {
  await apply(lab(), web(lab(), [50, 30, 20]))
  const folders = ['conn', 'gen', 'link', 'prog', 'tables']
  // What is known of targets, for now: the next writer begins to learn anew. And what older versions do not have.
  const remade = ['runtime', 'weight_log', 'confirm', 'removed']
  const names = [
    ...readdirSync(pins(lab())).filter((name) => ![...folders, ...remade].includes(name)),
    ...['tables', 'prog'].flatMap((folder) =>
      readdirSync(pins(lab(), folder)).map((name) => `${folder}/${name}`),
    ),
  ]
  expect(names.length).toBeGreaterThan(20)
  lab().write('lb.yaml', web(lab(), [10, 30, 60]))
  for (const name of names) {
    const [path, aside] = [pins(lab(), name), pins(lab(), 'aside')]
    renameSync(path, aside)
    const { code, stdout, stderr } = await lab().lbCli(['apply', '--yes'])
    expect({ name, code, stdout }).toEqual({ name, code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^Error: ${path} is missing.*\n.*\`lb destroy\``))
    renameSync(aside, path)
  }
  expect((await raw(lab())).generation).toBe(1)
  expect(await lab().lbMust(['show'])).toContain('weight: 50')
})

test('without the map of removals the programs are replaced, and have one again', async () => {
  await apply(lab(), web(lab()))
  rmSync(pins(lab(), 'removed'))
  expect((await plan(lab())).changes).toMatchObject([{ action: 'update', address: 'program' }])
  await lab().lbMust(['apply', '--yes'])
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
  expect(readdirSync(pins(lab()))).toContain('removed')
  expect(await ask(lab())).toMatch(/^b[123]$/)
})

test('links that are all gone are made again', async () => {
  await apply(lab(), web(lab()))
  rmSync(pins(lab(), 'link'), { recursive: true })
  expect((await plan(lab())).drift).toHaveLength(4)
  await lab().lbMust(['apply', '--yes'])
  expect(await ask(lab())).toMatch(/^b[123]$/)
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
})

test('maps of another version are left alone', async () => {
  await apply(lab(), web(lab()))
  const meta = pins(lab(), 'meta')
  const [entry] = JSON.parse(await bpftool(['--json', 'map', 'dump', 'pinned', meta])) as {
    value: string[]
  }[]
  await update(meta, { key: row(0), value: [99, ...entry!.value.slice(1).map(Number)] })
  for (const args of [['plan'], ['show'], ['apply', '--yes'], ['rollback']]) {
    const { code, stderr } = await lab().lbCli(args)
    expect({ args, code }).toEqual({ args, code: 1 })
    expect(stderr).toContain('its maps have layout 99')
  }
  expect(await ask(lab())).toMatch(/^b[123]$/)
})
