import { chownSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Lab } from '../support/netns.ts'
import { vip } from '../support/lab/topology.ts'
import { end } from '../support/lab/run.ts'
import { daemonEnv, watch } from './support/daemon.ts'
import { guardsOf } from './support/guards.ts'
import { apply, ask, config, pins, proxy, raw, targets, useLab, type Config } from './support/lb.ts'
import { until } from './support/until.ts'

/** `lb apply --confirm-within`: a new generation goes by itself unless `lb confirm` follows, whoever is killed. */

const lab = useLab({ backends: 2 })
const service = { address: vip.ipv4, port: 80 }

/** All requests go to one backend: who answers says which generation serves. */
const only = (i: number): Config => config([proxy('web', targets([lab().backends[i]!]))])
const serves = async (machine: Lab, generation: number): Promise<boolean> =>
  (await raw(machine)).generation === generation
const goneBack = (): Promise<true> =>
  until('generation 1 serves again', () => serves(lab(), 1).then((is) => is || undefined))

interface Pending {
  readonly confirmation: {
    readonly generation: number
    readonly previous: number
    readonly overdue: boolean
  } | null
}
const pending = async (command: string): Promise<Pending['confirmation']> =>
  (JSON.parse(await lab().lbMust([command, '--json'])) as Pending).confirmation

test('the deadline passes: the old generation serves again, and no request fails', async () => {
  await apply(lab(), only(0))
  await using traffic = await lab().client.startTraffic(service)
  await traffic.passed(20)
  expect(await apply(lab(), only(1), ['--confirm-within', '2s'])).toMatch(
    /Generation 2 waits for `lb confirm` until .*Z: otherwise generation 1 serves again\.$/m,
  )
  expect(await ask(lab())).toBe('b2')
  await goneBack()
  expect(await ask(lab())).toBe('b1')
  await traffic.passed(50)
  const { failures, byBackend } = await traffic.stop()
  expect(failures).toEqual([])
  expect(Object.keys(byBackend).sort()).toEqual(['b1', 'b2'])
  expect(await pending('history')).toBeNull()
  await until('the guard ends', () => guardsOf(lab()).length === 0)
  expect((await lab().lbCli(['confirm'])).stderr).toContain('nothing is to be confirmed')
})

test('confirmed, it stays', async () => {
  await apply(lab(), only(0))
  await apply(lab(), only(1), ['--confirm-within', '2s'])
  const done = JSON.parse(await lab().lbMust(['confirm', '--json'])) as unknown
  expect(done).toEqual({ formatVersion: 1, instance: lab().instance, generation: 2, previousGeneration: 1 })
  await until('the guard ends', () => guardsOf(lab()).length === 0)
  // Nobody is left who could go back; the deadline itself has to pass for that to be seen.
  await pause(2000)
  expect(await lab().lbMust(['plan'])).toContain('No changes')
  expect(await ask(lab())).toBe('b2')
  expect(await lab().lbCli(['confirm', '--json'])).toMatchObject({ code: 1 })
})

test('the status shows it, with a daemon and without, until it is settled', async () => {
  await apply(lab(), only(0))
  await apply(lab(), only(1), ['--confirm-within', '10m'])
  const look = async (env = {}): Promise<unknown> => {
    const { confirmation, daemon } = (await lab().lbCli(['status', '--json'], { env })).json() as {
      readonly confirmation: { readonly secondsLeft: number } | null
      readonly daemon: unknown
    }
    expect(daemon === null).toBe(Object.keys(env).length === 0)
    expect(confirmation?.secondsLeft ?? 0).toBeLessThanOrEqual(600)
    return confirmation
  }
  const waiting = { generation: 2, previous: 1, kind: 'asked', overdue: false }
  expect(await look()).toMatchObject(waiting)
  expect(await lab().lbMust(['status'])).toMatch(
    /^Confirm +generation 2 waits for `lb confirm`, (5[0-9]{2}|600) s left; otherwise generation 1 serves again$/m,
  )
  {
    await using _daemon = await watch(lab())
    expect(await look(daemonEnv(lab()))).toMatchObject(waiting)
  }
  await lab().lbMust(['confirm'])
  expect(await look()).toBeNull()
})

test('the first apply: nothing serves after the deadline, and rollback --to brings it back', async () => {
  await apply(lab(), only(0), ['--confirm-within', '1s'])
  await until('nothing serves', async () => (await serves(lab(), 0)) || undefined)
  expect(await lab().lbMust(['rollback', '--to', '1'])).toContain('Generation 1 serves.')
  expect(await ask(lab())).toBe('b1')
})

test('until then other applies are refused by name; --force keeps it; a rollback settles it', async () => {
  await apply(lab(), only(0))
  await apply(lab(), only(1), ['--confirm-within', '10m'])
  for (const command of ['history', 'plan', 'show']) {
    expect(await pending(command), command).toMatchObject({ generation: 2, previous: 1, overdue: false })
  }
  lab().write('lb.yaml', config([proxy('web', targets(lab().backends))]))
  const { code, stderr } = await lab().lbCli(['apply', '--yes'])
  expect(code).toBe(6)
  expect(stderr).toMatch(/generation 2 is yet to be confirmed; nothing was changed\n.*lb confirm/)
  expect((await lab().lbCli(['apply', '--yes', '--dry-run'])).code).toBe(0)
  await lab().lbMust(['apply', '--yes', '--force'])
  expect(await pending('history')).toBeNull()
  await apply(lab(), only(1), ['--confirm-within', '10m'])
  await lab().lbMust(['rollback'])
  expect(await pending('history')).toBeNull()
  await lab().lbMust(['rollback', '--to', '4'])
  expect((await lab().lbCli(['confirm'])).code).toBe(1)
  await until('the guards end', () => guardsOf(lab()).length === 0)
})

test('with the terminal gone the guard goes back', async () => {
  await apply(lab(), only(0))
  lab().write('lb.yaml', only(1))
  const words = lab().lbCommand(['apply', '--yes', '--confirm-within', '2s']).join(' ')
  // A terminal with a shell in it that waits, and is hung up.
  const terminal = lab().lb.spawn(['script', '--quiet', '--command', `${words}; sleep 60`, '/dev/null'], {
    cwd: lab().folder,
  })
  await until('it serves', async () => (await serves(lab(), 2)) || undefined)
  await end(terminal)
  expect(guardsOf(lab())).toHaveLength(1)
  await goneBack()
})

test('with the guard killed the next apply goes back, and only then carries out what it was asked', async () => {
  await apply(lab(), only(0))
  await apply(lab(), only(1), ['--confirm-within', '1s'])
  for (const pid of guardsOf(lab())) process.kill(pid, 'SIGKILL')
  await until('overdue', async () => (await pending('history'))?.overdue)
  expect(await ask(lab())).toBe('b2')
  lab().write('lb.yaml', only(0))
  const { code, stdout, stderr } = await lab().lbCli(['apply', '--yes'])
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/Nobody confirmed generation 2 in time: went back/) as unknown,
  })
  expect(stdout).toContain('No changes')
  expect(await serves(lab(), 1)).toBe(true)
})

test('with the guard killed, too late is too late', async () => {
  await apply(lab(), only(0))
  await apply(lab(), only(1), ['--confirm-within', '1s'])
  for (const pid of guardsOf(lab())) process.kill(pid, 'SIGKILL')
  await until('overdue', async () => (await pending('history'))?.overdue)
  const { code, stderr } = await lab().lbCli(['confirm'])
  expect(code).toBe(6)
  expect(stderr).toContain('too late: the time to confirm generation 2 is up; generation 1 serves')
  expect(await ask(lab())).toBe('b1')
})

test('with the guard killed a daemon goes back', async () => {
  lab().write('lb.yaml', only(0))
  await using daemon = await watch(lab(), ['--approve', 'manual'])
  await apply(lab(), only(0))
  await apply(lab(), only(1), ['--confirm-within', '2s'])
  for (const pid of guardsOf(lab())) process.kill(pid, 'SIGKILL')
  expect(await daemon.line({ event: 'confirm', level: 'warn' })).toMatchObject({ from: 2, to: 1 })
  expect(await ask(lab())).toBe('b1')
})

test('a daemon does not apply over what is yet to be confirmed', async () => {
  lab().write('lb.yaml', only(0))
  await using daemon = await watch(lab())
  const other = lab().write('other.yaml', only(1))
  await lab().lbMust(['apply', '--yes', '-c', other, '--confirm-within', '2s'])
  lab().write('lb.yaml', config([proxy('web', targets(lab().backends))]))
  expect(await daemon.line({ event: 'reload', outcome: 'failed' })).toMatchObject({
    msg: expect.stringMatching(/generation 2 is yet to be confirmed/) as unknown,
  })
  // Once that has gone, the file is applied after all.
  expect(await daemon.line({ event: 'reload', outcome: 'applied' })).toMatchObject({ generation: 3 })
})

test(
  'killed at any call from where it is armed, it goes back or has never served',
  { timeout: 600_000 },
  async () => {
    await apply(lab(), only(0))
    const file = join(lab().folder, 'calls.txt')
    const args = ['apply', '--yes', '--confirm-within', '1s']
    lab().write('lb.yaml', only(1))
    await lab().lbMust(args, { wrap: ['strace', '-qq', '-o', file, '-e', 'trace=bpf,rename,unlink'] })
    await goneBack()
    const counts = new Map<string, number>()
    const calls = readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const name = /^[a-z]+/.exec(line)?.[0]
        if (name === undefined) return []
        counts.set(name, (counts.get(name) ?? 0) + 1)
        return [{ name, count: counts.get(name)!, line }]
      })
    const armed = calls.findIndex(({ line }) => line.includes('/confirm-next'))
    expect(armed).toBeGreaterThan(0)
    const relevant = calls
      .slice(armed)
      .filter(({ line }) => /OBJ_PIN|MAP_UPDATE|^rename|^unlink|LINK_UPDATE/.test(line))
    expect(relevant.length).toBeGreaterThan(3)
    const served = new Set<boolean>()
    for (const { name, count, line } of relevant) {
      const wrap = ['strace', '-qq', '-o', '/dev/null', '-e', `inject=${name}:signal=SIGKILL:when=${count}`]
      const { code } = await lab().lbCli(args, { wrap })
      expect(code, line).toBe(137)
      const generation = (await raw(lab())).generation
      served.add(generation !== 1)
      await goneBack()
      expect(await ask(lab()), line).toBe('b1')
      // The next one is to begin as the first did.
      await until('the guards end', async () => {
        lab().write('lb.yaml', only(0))
        await lab().lbCli(['apply', '--yes'])
        return guardsOf(lab()).length === 0
      })
      lab().write('lb.yaml', only(1))
    }
    expect(served).toEqual(new Set([false, true]))
  },
)

test('a user with two capabilities and no other right can do all of it', async () => {
  const nobody = 65534
  mkdirSync(pins(lab()), { recursive: true })
  for (const path of [pins(lab()), lab().folder]) chownSync(path, nobody, nobody)
  const caps = '+bpf,+net_admin'
  const drop = ['--reuid', `${nobody}`, '--regid', `${nobody}`, '--clear-groups']
  const wrap = [
    'setpriv',
    ...drop,
    `--inh-caps=${caps}`,
    `--ambient-caps=${caps}`,
    `--bounding-set=-all,${caps}`,
  ]
  await apply(lab(), only(0), [], { wrap })
  await apply(lab(), only(1), ['--confirm-within', '1s'], { wrap })
  await goneBack()
  await apply(lab(), only(1), ['--confirm-within', '10m'], { wrap })
  await lab().lbMust(['confirm'], { wrap })
  expect(await ask(lab())).toBe('b2')
  await apply(lab(), only(0), ['--rollback-if', 'errors > 5%', '--watch-for', '1s'], { wrap })
  expect(await ask(lab())).toBe('b1')
})
