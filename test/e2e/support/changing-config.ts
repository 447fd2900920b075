import { vip } from '../../support/lab/topology.ts'

/** After so many, configurations come round again. */
export const PERIOD = 60

/**
 * One of an endless row of configurations. Each has other targets, weights, routes, listeners and settings
 * than the one before, and now and then another interface; and so many targets that none ever had.
 */
export function changingConfig(count: number, newTargets = 0): unknown {
  const known = [11, 12, 13, 14].slice(0, 1 + (count % 4)).map((host, i) => ({
    ...target('10.0.0', host),
    // Goes into what is known of targets outside of generations.
    drain: i === 1 && count % 3 === 0,
  }))
  const once = Array.from({ length: newTargets }, (_, i) => newTarget(newTargets * count + i))
  const every = (n: number) => count % n === 0
  const proxies = [
    {
      name: 'web',
      listen: {
        interfaces: every(20) ? ['front0', 'front1'] : ['front0'],
        address: vip.ipv4,
        port: 80,
        protocol: 'tcp',
      },
      defaultTarget: [...(every(3) && newTargets === 0 ? weighted(known) : known), ...once],
      ...(every(2) && {
        sourceRoutes: [
          { source: '192.168.0.0/16', target: target('10.0.1', 1) },
          { source: `10.${count % 5}.0.0/16`, targets: known },
        ],
      }),
    },
    ...(every(2)
      ? []
      : [
          {
            name: 'names',
            listen: { interfaces: ['front0'], port: 53, protocol: 'udp' },
            defaultTarget: target('10.0.2', 1 + (count % 3)),
          },
        ]),
    ...(every(5)
      ? [
          {
            name: 'web6',
            listen: { interfaces: ['front0'], address: vip.ipv6, port: 80 + (count % 3), protocol: 'tcp' },
            defaultTarget: { ip: '2001:db8:b0::b', port: 8080 },
          },
        ]
      : []),
  ]
  return { version: 1, proxies, settings: { connectionTimeoutSec: 300 + (count % 4) } }
}

interface Target {
  readonly ip: string
  readonly port: number
}

const target = (net: string, host: number): Target => ({ ip: `${net}.${host}`, port: 8080 })
const newTarget = (number: number): Target =>
  target(`10.${100 + (number >> 16)}.${(number >> 8) & 255}`, number & 255)

/** The first has what the others leave of 100. */
function weighted(targets: readonly Target[]) {
  return targets.map((one, i) => ({ ...one, weight: i === 0 ? 100 - 10 * (targets.length - 1) : 10 }))
}
