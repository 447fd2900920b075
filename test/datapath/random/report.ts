/** A case in which data plane and model part, in words. */
import { expectedBytes } from '../../support/model-compare.ts'
import type { Configuration } from '../../support/model.ts'
import type { Case } from './case.ts'
import type { Judged, Mismatch } from './play.ts'

/** Bytes that are printed; payload comes behind them. */
const PRINTED = 160

function hex(bytes: Uint8Array): string {
  const rest = bytes.length - PRINTED
  const text = Buffer.from(bytes.subarray(0, PRINTED)).toString('hex')
  return rest > 0 ? `${text}… (${rest} bytes more)` : text
}

function configurationLines(configuration: Configuration, number: number): string[] {
  const { listeners, groups, interfaces = {}, maxConnections } = configuration
  return [
    `configuration ${number}:${maxConnections === undefined ? '' : ` at most ${maxConnections} connections`}`,
    ...listeners.map(
      ({ device, address, port, protocol, group, routes = [] }) =>
        `  ${device} ${address} ${port}/${protocol} -> ${[group, ...routes.map((route) => `${route.source} -> ${route.group}`)].join(', ')}`,
    ),
    ...Object.entries(groups).map(
      ([name, run]) => `  group ${name}: ${run.map(({ ip, port }) => `${ip} ${port}`).join(', ') || 'empty'}`,
    ),
    ...Object.entries(interfaces).map(
      ([name, { attach, xdpXmit }]) =>
        `  interface ${name}: ${attach}${xdpXmit ? ', transmits for XDP' : ''}`,
    ),
  ]
}

function packetLines({ packet, frame, fate, got }: Judged, last: boolean): string[] {
  const head = `${packet.hook} ${packet.device} ${hex(frame)}`
  if (!last) return [`  ${head}`, `    ${fate.verdict} ${fate.reason}`]
  return [
    `  ${head}`,
    `    expected: ${fate.verdict} ${fate.reason} ${hex(expectedBytes(frame, fate))}`,
    `    got:      ${got.verdict} ${got.reason} ${hex(got.data)}`,
  ]
}

/** Configurations, packets in hex, what was expected and what came, and how to see it again. */
export function report(value: Case, { judged, packet, state }: Mismatch): string {
  const packets = new Map(judged.map((one) => [one.step, one]))
  const steps = value.steps.flatMap((step, number) => {
    if ('activate' in step) return [`  activate configuration ${step.activate}`]
    const one = packets.get(number)
    return one ? packetLines(one, packet.length > 0 && one === judged.at(-1)) : []
  })
  return [
    ...value.configurations.flatMap(configurationLines),
    'packets:',
    ...steps,
    'not as the model has it:',
    ...[...packet, ...state].map((line) => `  ${line}`),
    'to see it again:',
    `  LB_TEST_CASE='${JSON.stringify(value)}' npx vitest run test/datapath/random.test.ts`,
  ].join('\n')
}
