/** `npm run bench -- packet|peers|control|watch [--json] [--rounds N]`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { constants, loadavg } from 'node:os'
import { join } from 'node:path'
import { sweep } from '../test/support/lab/cleanup.ts'
import { root } from '../test/support/lab/run.ts'
import { control } from './control/control.ts'
import { packet } from './packet/packet.ts'
import { comparePeers } from './peers/compare.ts'
import { removeLabs } from './support/labs.ts'
import { commit, describeMachine } from './support/machine.ts'
import { endProgress } from './support/progress.ts'
import { toDocument, type Outcome, type Report } from './support/report.ts'
import { renderOutcome } from './support/table.ts'
import { watchBenchmark } from './watch/watch.ts'

const usage = `npm run bench -- packet   cost of a packet in our programs, in nanoseconds
npm run bench -- peers    requests, throughput and latency beside other ways to do the same
npm run bench -- control  time and memory of the commands, by size of the configuration
npm run bench -- watch    the daemon: what health checks take, time to act on them, reloads

  --json      the results as JSON instead of tables
  --rounds N  how often to measure everything; results of less than 5 rounds are not kept`

const benchmarks: Readonly<Record<string, (rounds: number) => Promise<Outcome>>> = {
  packet,
  peers: comparePeers,
  control,
  watch: watchBenchmark,
}

const ROUNDS_KEPT = 5

interface Arguments {
  readonly name: string
  readonly rounds: number
  readonly json: boolean
}

/** `undefined`: wrong usage. */
function parse(args: readonly string[]): Arguments | undefined {
  const rest = [...args]
  const json = take(rest, '--json') !== undefined
  const at = rest.indexOf('--rounds')
  const rounds = at === -1 ? ROUNDS_KEPT : Number(rest.splice(at, 2)[1])
  const [name = '', ...more] = rest
  const isRight =
    Object.hasOwn(benchmarks, name) && more.length === 0 && Number.isInteger(rounds) && rounds > 0
  return isRight ? { name, rounds, json } : undefined
}

function take(args: string[], flag: string): string | undefined {
  const at = args.indexOf(flag)
  return at === -1 ? undefined : args.splice(at, 1)[0]
}

async function main(args: readonly string[]): Promise<number> {
  const given = parse(args)
  if (given === undefined) {
    console.error(usage)
    return args.includes('--help') ? 0 : 3
  }
  const { name, rounds, json } = given
  await sweep()
  const head = { benchmark: name, startedAt: new Date().toISOString(), rounds, loadBefore: loadavg()[0]! }
  const started = performance.now()
  const outcome = await benchmarks[name]!(rounds).finally(removeLabs)
  endProgress()
  const seconds = Math.round((performance.now() - started) / 1000)
  const report: Report = { ...head, seconds, commit: commit(), machine: describeMachine(), ...outcome }
  const document = `${JSON.stringify(toDocument(report), null, 2)}\n`
  if (rounds >= ROUNDS_KEPT) keep(name, document)
  process.stdout.write(json ? document : renderOutcome(outcome))
  return 0
}

function keep(name: string, document: string): void {
  const folder = join(root, 'bench/results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), document)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    console.error('\nStopping, and removing the network')
    void removeLabs().finally(() => process.exit(128 + constants.signals[signal]))
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  endProgress()
  console.error(error)
  process.exitCode = 1
}
