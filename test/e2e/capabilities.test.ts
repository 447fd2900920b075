import { chownSync, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { instancePaths } from '../../src/engine/model/paths.ts'
import { vip } from '../support/lab/topology.ts'
import { useLab, web } from './support/lb.ts'

/** Who may do what: every command works with CAP_BPF and CAP_NET_ADMIN and no other right. */

const lab = useLab({})

/** nobody's and nogroup's number on Debian. */
const NOBODY = 65534

function asNobody(capabilities: readonly string[]): string[] {
  const list = capabilities.map((name) => `+${name}`).join(',')
  const drop = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups']
  if (list === '') return ['setpriv', ...drop, '--bounding-set=-all']
  return ['setpriv', ...drop, `--inh-caps=${list}`, `--ambient-caps=${list}`, `--bounding-set=-all,${list}`]
}

/** The instance's folder, made by root for a user: what a service manager does. */
function giveInstance(): void {
  const { root } = instancePaths(lab().instance)
  mkdirSync(root, { recursive: true })
  chownSync(root, NOBODY, NOBODY)
}

test('a user with two capabilities runs the whole life of a load balancer', async () => {
  expect(userInfo().uid, 'this test changes users').toBe(0)
  giveInstance()
  const wrap = asNobody(['bpf', 'net_admin'])
  chownSync(lab().folder, NOBODY, NOBODY)
  const file = lab().write('lb.yaml', web(lab(), [50, 30, 20]))
  for (const args of [['init', 'new.yaml'], ['schema'], ['validate', '--host'], ['doctor', '-c', file]]) {
    await lab().lbMust(args, { wrap })
  }
  await lab().lbMust(['apply', '-c', file, '--yes'], { wrap })
  const { failures } = await lab().client.requests({ address: vip.ipv4, port: 80, count: 20 })
  expect(failures).toEqual([])
  lab().write('lb.yaml', web(lab(), [10, 30, 60]))
  expect(await lab().lbMust(['plan', '-o', 'saved.plan'], { wrap })).toMatch(/0 to add, 2 to change/)
  await lab().lbMust(['apply', 'saved.plan', '--yes'], { wrap })
  expect(await lab().lbMust(['history'], { wrap })).toMatch(/\* {2}2 .* nobody/)
  await lab().lbMust(['rollback'], { wrap })
  const one = `${lab().backends[0]!.address.ipv4}:8080`
  const others = [
    ...[['show'], ['show', '--raw'], ['show', '--json'], ['connections'], ['status'], ['why', 'web', one]],
    ...[
      ['drain', 'web', one],
      ['undrain', 'web', one],
      ['circuit', 'open', 'web', one],
    ],
    ...[['apply', '-c', file, '--yes', '--confirm-within', '60s'], ['confirm'], ['rollback']],
  ]
  for (const args of others) await lab().lbMust(args, { wrap })
  const list = lab().write('new.json', [{ ip: lab().backends[0]!.address.ipv4, port: 8080 }])
  await lab().lbMust(['rollout', 'web', '--to', list, '--interval', '0s', '--yes'], { wrap })
  await lab().lbMust(['destroy', '--yes'], { wrap })
})

test.for([['bpf'], ['net_admin'], []])('an apply with only %j says what it lacks', async (capabilities) => {
  giveInstance()
  const file = lab().write('lb.yaml', web(lab(), [50, 30, 20]))
  const { code, stderr } = await lab().lbCli(['apply', '-c', file, '--yes'], { wrap: asNobody(capabilities) })
  expect([1, 7]).toContain(code)
  expect(stderr).toMatch(/CAP_BPF and CAP_NET_ADMIN/)
})

test.for([
  ...[
    ['plan'],
    ['apply', '--yes'],
    ['rollback'],
    ['history'],
    ['show'],
    ['destroy', '--yes'],
    ['connections'],
  ],
  ...[
    ['status'],
    ['why', 'web', '10.0.0.1:1'],
    ['drain', 'web', '10.0.0.1:1'],
    ['undrain', 'web', '10.0.0.1:1'],
  ],
  ...[
    ['circuit', 'open', 'web', '10.0.0.1:1'],
    ['confirm'],
    ['watch'],
    ['rollout', 'web', '--to', 'new.json'],
  ],
])('without rights %j says which are missing, and changes nothing', async (args) => {
  giveInstance()
  lab().write('lb.yaml', web(lab(), [50, 30, 20]))
  lab().write('new.json', [{ ip: '10.0.0.9', port: 1 }])
  await lab().lbMust(['apply', '--yes'])
  const before = await lab().lbMust(['history'])
  chownSync(lab().folder, NOBODY, NOBODY)
  const env = { LB_RUN_DIR: join(lab().folder, 'run') }
  const { code, stderr } = await lab().lbCli(args, { wrap: asNobody([]), env })
  expect([1, 7]).toContain(code)
  expect(stderr).toMatch(/CAP_BPF/)
  expect(await lab().lbMust(['history'])).toBe(before)
  expect(await lab().lbMust(['plan'])).toMatch(/^No changes/m)
})
