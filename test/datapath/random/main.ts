/** The process that plays cases inside the network namespace; see fuzzer.ts. */
import { answer } from '../../support/answer.ts'
import { prepareDevices, type Devices } from '../support/inside.ts'
import { createArena, type Arena } from './arena.ts'
import type { Case } from './case.ts'
import { MADE_ROOM, type Answer, type Failure, type Request } from './request.ts'
import { randomCase } from './generate.ts'
import { play, type Judged, type Mismatch } from './play.ts'
import { reduce } from './reduce.ts'
import { report } from './report.ts'
import { smallerCases } from './smaller.ts'

let devices: Devices = {}

/** What the data plane chooses at random, and time, may be needed for a failure: some cases fail only now and then. */
const TRIES = 10
/** Cases that are tried to make a failing one smaller. */
const REDUCTIONS = 4000

function playUntilFails(arena: Arena, value: Case, tries: number): Mismatch | undefined {
  for (let i = 0; i < tries; i++) {
    const mismatch = play(arena, value)
    if (mismatch) return mismatch
  }
  return undefined
}

function reduced(arena: Arena, value: Case, first: Mismatch): Failure {
  const repeats = Array.from({ length: TRIES }, () => play(arena, value)).every(Boolean)
  let last = first
  const fails = (candidate: Case): boolean => {
    const mismatch = playUntilFails(arena, candidate, repeats ? 1 : TRIES)
    last = mismatch ?? last
    return mismatch !== undefined
  }
  const smallest = reduce(value, smallerCases, fails, REDUCTIONS)
  return { text: report(smallest, last), smallest, repeats }
}

/** Counts what was judged, by what may go wrong on its own. */
function count(tally: Map<string, number>, { packet, fate, evicted }: Judged): void {
  const keys = [fate.reason]
  if (evicted > 0) keys.push(MADE_ROOM)
  if (fate.rewrite) {
    const family = packet.flow.source.includes(':') ? 'IPv6' : 'IPv4'
    keys.push(`${packet.hook} ${family} ${packet.flow.protocol} from the ${packet.from}`)
  }
  for (const key of keys) tally.set(key, (tally.get(key) ?? 0) + 1)
}

function fuzz(arena: Arena, seed: number, packets: number): Answer {
  const tally = new Map<string, number>()
  let judged = 0
  for (let number = 0; judged < packets; number++) {
    const value = randomCase(seed, number)
    const mismatch = play(arena, value, (one) => {
      judged += 1
      count(tally, one)
    })
    if (mismatch) return { judged, tally, failure: { ...reduced(arena, value, mismatch), number } }
  }
  return { judged, tally }
}

function replay(arena: Arena, value: Case): Answer {
  const mismatch = playUntilFails(arena, value, TRIES)
  const judged = value.steps.length
  if (!mismatch) return { judged, tally: new Map() }
  return {
    judged,
    tally: new Map(),
    failure: { text: report(value, mismatch), smallest: value, repeats: true },
  }
}

answer((request: Request): Answer => {
  if ('prepare' in request) {
    devices = prepareDevices(request.prepare)
    return { judged: 0, tally: new Map() }
  }
  const arena = createArena(request.object, devices)
  try {
    if ('replay' in request) return replay(arena, request.replay)
    return fuzz(arena, request.seed, request.packets)
  } finally {
    arena.close()
  }
})
