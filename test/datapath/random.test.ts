import { afterAll, beforeAll, expect, test } from 'vitest'
import { enums } from '../../src/engine/abi/layout.generated.ts'
import type { Case } from './random/case.ts'
import { createFuzzer, type Fuzzer } from './random/fuzzer.ts'
import { MADE_ROOM } from './random/request.ts'
import { OBJECT } from './support/dataplane.ts'

/** Random configurations and packets, judged by the data plane and by a model that is written from the documentation. */

const SEED = Number(process.env['LB_TEST_SEED'] ?? Date.now() % 2 ** 32)
const PACKETS = Number(process.env['LB_TEST_PACKETS'] ?? 200_000)
const GIVEN = process.env['LB_TEST_CASE']

let fuzzer: Fuzzer
beforeAll(async () => {
  fuzzer = await createFuzzer()
})
afterAll(() => fuzzer.close())

/** Reasons that no packet of these cases can have, and what shows them instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  LB_OK: 'no packet ends with it',
  LB_PASS_SHORT_ETH: 'the kernel runs no program on a frame without a whole Ethernet header',
  LB_STACK_FIB_FAILED: 'takes a device that goes while a packet of it is on the way: damage.test.ts',
  LB_DROP_WRONG_FAMILY: 'lb makes no such tables: reasons.test.ts',
  LB_DROP_BAD_TABLE: 'lb makes no such tables: damage.test.ts',
  LB_DROP_NO_CONN_TABLE: 'lb makes a table before the first listener of its family: reasons.test.ts',
  LB_DROP_CONN_TABLE_FULL: 'takes more connections than a case has packets: limit.test.ts',
  LB_DROP_CONN_BUSY: 'takes a lock that nobody gives back: damage.test.ts',
  LB_DROP_REWRITE_FAILED: 'takes a kernel that is out of memory',
  LB_REASON_MAX: 'the number of reasons',
}

const REASONS = Object.keys(enums.lb_reason).filter((reason) => !(reason in ELSEWHERE))
const TRANSLATED = ['IPv4', 'IPv6'].flatMap((family) =>
  ['tcp', 'udp'].flatMap((protocol) => [
    ...['xdp', 'ingress'].map((hook) => `${hook} ${family} ${protocol} from the client`),
    ...['xdp', 'ingress', 'egress'].map((hook) => `${hook} ${family} ${protocol} from the backend`),
  ]),
)

async function judgeRandom(): Promise<void> {
  const { judged, tally, failure } = await fuzzer.run({ object: OBJECT, seed: SEED, packets: PACKETS })
  if (failure) throw new Error(`case ${failure.number} of seed ${SEED}, made small:\n${failure.text}`)
  expect(judged).toBeGreaterThanOrEqual(PACKETS)
  // A walk that never got to a place would prove nothing of it.
  for (const what of [...REASONS, ...TRANSLATED, MADE_ROOM]) {
    expect(tally.get(what) ?? 0, what).toBeGreaterThanOrEqual(PACKETS / 4000)
  }
  expect(tally.get('LB_REDIRECT')).toBeGreaterThan(PACKETS / 5)
}

async function judgeGiven(given: string): Promise<void> {
  const { failure } = await fuzzer.run({ object: OBJECT, replay: JSON.parse(given) as Case })
  if (failure) throw new Error(failure.text)
}

const what = GIVEN === undefined ? `${PACKETS} random packets, seed ${SEED}` : 'the case given'
test(`the data plane does what the model says: ${what}`, { timeout: 600_000 }, () =>
  GIVEN === undefined ? judgeRandom() : judgeGiven(GIVEN),
)
