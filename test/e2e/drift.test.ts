import { expect, test } from 'vitest'
import { apply, ask, config, pins, plan, proxy, targets, useLab, type Config } from './support/lb.ts'
import { dump, remove, row, update, type Entry } from './support/bpftool.ts'

/** The kernel is the state: what something else changes in any table is named by the next plan, and put right by the next apply. */

const lab = useLab({})

/** Something in every table. */
function everything(): Config {
  const [b1, b2, b3] = targets(lab().backends, { weights: [50, 30, 20] })
  const [plain] = targets([lab().backends[2]!])
  return config(
    [
      {
        ...proxy('web', [b1!, b2!, b3!]),
        sourceRoutes: [
          { source: '192.0.2.0/24', targets: [plain!] },
          { source: '198.18.0.0/15', targets: [plain!] },
        ],
      },
      proxy('api', [plain!], { port: 81 }),
    ],
    { settings: { connectionTimeoutSec: 100 } },
  )
}

interface Case {
  readonly what: string
  readonly table: string
  readonly spoil: (path: string, entries: readonly Entry[]) => Promise<void>
  /** The address that the plan has to name, and what happened to it. */
  readonly drift: readonly [action: string, address: RegExp]
  /** Attributes of the drift: what the last apply made, and what is there. */
  readonly before?: object
  readonly after?: object
}

/** Changes one byte of the entry that `which` finds, or of the first. */
const spoilByte =
  (at: number, value: number, which: (entry: Entry) => boolean = () => true) =>
  async (path: string, entries: readonly Entry[]) => {
    const entry = entries.find(which)!
    await update(path, { ...entry, value: entry.value.with(at, value) })
  }

const cases: readonly Case[] = [
  {
    what: 'a weight',
    table: 'members',
    spoil: spoilByte(4, 70, ({ value }) => value[4] === 50),
    drift: ['update', /^proxy\.web\.target\["10\.0\.0\.11:8080"\]$/],
    before: { weight: 50 },
    after: { weight: 70 },
  },
  {
    what: 'a backend’s port',
    table: 'backends',
    spoil: spoilByte(17, 1),
    drift: ['update', /^backend\["10\.0\.0\.1[123]:8080\/tcp"\]$/],
    before: { port: 8080 },
    after: { port: 0x1f01 },
  },
  {
    what: 'an entry of a selection run',
    table: 'selection',
    spoil: async (path) => update(path, { key: row(5), value: row(999) }),
    drift: ['update', /^proxy\.(web|api)\.selection\[\d+\]$/],
    after: { backend: 999 },
  },
  {
    what: 'a group’s run',
    table: 'groups',
    spoil: spoilByte(4, 3, ({ value }) => value[4] === 100),
    drift: ['update', /^proxy\.web\.group$/],
    before: { selection_count: 100 },
    after: { selection_count: 3 },
  },
  {
    what: 'a proxy’s name',
    table: 'proxies',
    spoil: spoilByte(0, 'x'.charCodeAt(0), ({ value }) => value[0] === 'w'.charCodeAt(0)),
    drift: ['update', /^proxy\.web$/],
    before: { name: 'web' },
    after: { name: 'xeb' },
  },
  {
    what: 'a timeout',
    table: 'settings',
    spoil: spoilByte(4, 7),
    drift: ['update', /^settings\.connectionTimeoutSec$/],
    before: { value: 100 },
    after: { value: 7 },
  },
  {
    what: 'where a listener’s connections go',
    table: 'listeners',
    spoil: spoilByte(4, 1, ({ value }) => value[4] === 0),
    drift: ['update', /^listener\["front0 203\.0\.113\.10:8[01]\/tcp"\]$/],
    before: { group: 0 },
    after: { group: 1 },
  },
  {
    what: 'a listener that is gone',
    table: 'listeners',
    spoil: (path, [first]) => remove(path, first!.key),
    drift: ['delete', /^listener\["front0 203\.0\.113\.10:8[01]\/tcp"\]$/],
  },
  {
    what: 'a listener that nobody configured',
    table: 'listeners',
    // Port 443: two bytes before the last two of the key.
    spoil: (path, [first]) =>
      update(path, { ...first!, key: [...first!.key.slice(0, 20), 1, 187, ...first!.key.slice(22)] }),
    drift: ['create', /^listener\["front0 203\.0\.113\.10:443\/tcp"\]$/],
  },
  {
    what: 'a source route to other targets',
    table: 'routes',
    spoil: spoilByte(0, 0),
    drift: ['update', /^proxy\.web\.sourceRoute\["(192\.0\.2\.0\/24|198\.18\.0\.0\/15)"\]$/],
  },
  {
    what: 'a source route that is gone',
    table: 'routes',
    spoil: (path, [first]) => remove(path, first!.key),
    drift: ['delete', /^proxy\.web\.sourceRoute\["(192\.0\.2\.0\/24|198\.18\.0\.0\/15)"\]$/],
  },
  {
    what: 'a source route that nobody configured',
    table: 'routes',
    // 240.0.0.0/4
    spoil: (path, [first]) =>
      update(path, { ...first!, key: [...row(32 + 96 + 4), ...first!.key.slice(4, 20), 240, 0, 0, 0] }),
    drift: ['create', /^proxy\.web\.sourceRoute\["240\.0\.0\.0\/4"\]$/],
  },
  {
    what: 'how an interface is attached',
    table: 'interfaces',
    spoil: spoilByte(17, 1),
    drift: ['update', /^interface\.(front0|back0)$/],
  },
  {
    what: 'an interface that is gone',
    table: 'interfaces',
    spoil: (path, [first]) => remove(path, first!.key),
    drift: ['delete', /^interface\.(front0|back0)$/],
  },
  {
    what: 'an interface that nobody configured',
    table: 'interfaces',
    spoil: (path, [first]) => update(path, { ...first!, key: row(4242) }),
    drift: ['create', /^interface\.ifindex-4242$/],
  },
]

test.for(cases)('$table: $what', async ({ table, spoil, drift: [action, address], before, after }) => {
  await apply(lab(), everything())
  const path = pins(lab(), 'gen/1', table)
  const entries = await dump(path)
  await spoil(path, entries)

  const found = await plan(lab())
  expect(found.drift).toHaveLength(1)
  const [drift] = found.drift
  expect(drift).toMatchObject({ action, where: `table ${table}` })
  expect(drift!.address).toMatch(address)
  if (before !== undefined) expect(drift!.before).toMatchObject(before)
  if (after !== undefined) expect(drift!.after).toMatchObject(after)
  const { create, update: changed, delete: gone } = found.summary
  expect(create + changed + gone).toBeGreaterThan(0)
  const { code, stdout } = await lab().lbCli(['plan', '--detailed-exitcode'])
  expect(code).toBe(2)
  expect(stdout).toMatch(/^Changes outside of lb\n/)
  expect(stdout).toContain(drift!.address)
  expect(stdout).toMatch(/Plan: \d+ to add, \d+ to change, \d+ to destroy\.\n$/)

  expect(await lab().lbMust(['apply', '--yes'])).toMatch(/^Apply complete: .*Generation 2 serves\./m)
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes\./)
  expect(sorted(await dump(pins(lab(), 'gen/2', table)))).toEqual(sorted(entries))
  expect(await ask(lab())).toMatch(/^b[123]$/)
})

/** Hash maps give their entries in any order. */
const sorted = (entries: readonly Entry[]) => entries.map((entry) => JSON.stringify(entry)).sort()

test('a generation that was changed is not rolled back to', async () => {
  await apply(lab(), everything())
  await apply(lab(), config([proxy('web', targets(lab().backends))]))
  const path = pins(lab(), 'gen/1/members')
  await spoilByte(4, 70)(path, await dump(path))
  expect((await plan(lab())).drift).toEqual([])
  const { code, stderr } = await lab().lbCli(['rollback'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/generation 1 was changed since it was applied: proxy\.\w+\.target/)
  expect(await ask(lab())).toMatch(/^b[123]$/)
})
