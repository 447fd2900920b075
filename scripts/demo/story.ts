import { existsSync } from 'node:fs'
import { type Lab, type Tally } from '../../test/support/netns.ts'
import { configuration, lb, service } from './playground.ts'
import { bar, claim, command, heading, say } from './screen.ts'

const before = [50, 30, 20]
const after = [10, 30, 60]
const connections = 300

/** What lb does, step by step, on real packets. */
export async function tell(lab: Lab): Promise<void> {
  introduce(lab)

  heading('A file says what should be')
  const file = configuration(lab, before)
  lab.write('lb.yaml', file)
  command('cat lb.yaml')
  say(file.trimEnd())
  await lb(lab, 'validate')

  heading('A plan says what would change; nothing is touched')
  await lb(lab, 'plan')
  const early = await lab.client.requests({ ...service, count: 3 })
  claim(early.failures.length === 3, 'nothing answers at the service address yet')

  heading('Apply loads it into the kernel')
  await lb(lab, 'apply', '--yes')
  await spread(lab, before)

  heading('An edit is a plan of its own, with nothing else in it')
  lab.write('lb.yaml', configuration(lab, after))
  say(`The weights in lb.yaml are now ${after.join(', ')}.`)
  await lb(lab, 'plan')
  claim((await changes(lab)) === 2, 'two weights would change, and nothing else')

  heading('Apply under traffic: no request fails, no connection moves')
  await underTraffic(lab)
  await spread(lab, after)

  heading('Rollback is one write')
  await lb(lab, 'history')
  await lb(lab, 'rollback')
  await spread(lab, before)
}

/** Takes lb off the kernel again. */
export async function endStory(lab: Lab): Promise<void> {
  heading('Destroy leaves nothing in the kernel')
  await lb(lab, 'destroy', '--yes')
  claim(!existsSync(`/sys/fs/bpf/lb/${lab.instance}`), 'no map, program or link is pinned')
  const late = await lab.client.requests({ ...service, count: 3 })
  claim(late.failures.length === 3, 'nothing answers at the service address any more')
}

function introduce(lab: Lab): void {
  const [first, second, third] = lab.backends.map(({ name, address }) => `─ ${name}  ${address.ipv4}:8080`)
  const client = `  client ${lab.client.address.ipv4} ── front0  `
  const middle = `${client}load balancer  back0 ──`
  say(`
A client, a load balancer and three web servers, each in a network namespace of its own:

${' '.repeat(middle.length)}┌${first!}
${middle}┼${second!}
${`${' '.repeat(client.length)}${service.address}`.padEnd(middle.length)}└${third!}`)
}

/** Makes connections and compares who answered with the weights. */
async function spread(lab: Lab, weights: readonly number[]): Promise<void> {
  say(`\n${connections} HTTP connections to ${service.address}:${service.port}:`)
  const tally = await lab.client.requests({ ...service, count: connections })
  for (const [i, { name }] of lab.backends.entries()) {
    const count = tally.byBackend[name] ?? 0
    const percent = ((100 * count) / connections).toFixed(0).padStart(3)
    say(
      `  ${name}  weight ${weights[i]!}  ${String(count).padStart(3)} = ${percent} %  ${bar(count / connections)}`,
    )
  }
  claim(tally.failures.length === 0, `${tally.total} of ${connections} answered`)
  claim(isFair(lab, tally, weights), 'the counts are as the weights have it')
}

/** Within five standard deviations: true but for one time in a million. */
function isFair(lab: Lab, tally: Tally, weights: readonly number[]): boolean {
  return lab.backends.every(({ name }, i) => {
    const p = weights[i]! / 100
    const spread = 5 * Math.sqrt(connections * p * (1 - p))
    return Math.abs((tally.byBackend[name] ?? 0) - connections * p) <= spread
  })
}

async function changes(lab: Lab): Promise<number> {
  const { summary } = JSON.parse(await lab.lbMust(['plan', '--json'])) as {
    summary: Record<'create' | 'update' | 'delete', number>
  }
  return summary.create + summary.update + summary.delete
}

async function underTraffic(lab: Lab): Promise<void> {
  await using connection = await lab.client.connect(service)
  const traffic = await lab.client.startTraffic({ ...service, concurrency: 8 })
  const soFar = await traffic.passed(500)
  say(`Requests keep coming: ${soFar.total} so far, on a connection each, and one connection stays open.`)
  await lb(lab, 'apply', '--yes')
  await traffic.passed(500)
  const { total, failures } = await traffic.stop()
  for (const failure of failures.slice(0, 3)) say(`  ${failure}`)
  claim(
    failures.length === 0,
    `${total} requests before, during and after the apply: ${failures.length} failed`,
  )
  claim(
    (await connection.request()) === connection.backend,
    `the open connection is still with ${connection.backend}`,
  )
}
