/** Interfaces, routes and neighbours of the caller's network namespace. */
import { interfaces, neighbours, routesGet } from '../../native/index.ts'
import type { InterfaceInfo } from '../../native/index.ts'
import type { NetInterface } from '../engine/model/host.ts'
import type { NetPort } from '../engine/ports/kernel.ts'
import { attempt } from './errors.ts'

/** NETDEV_XDP_ACT_*: Documentation/netlink/specs/netdev.yaml. */
const XDP_BASIC = 1 << 0
const XDP_REDIRECT = 1 << 1
const XDP_NDO_XMIT = 1 << 2

function netInterface({ xdpFeatures, xdpProgram, xdpGeneric, ...info }: InterfaceInfo): NetInterface {
  const has = (bit: number): boolean => ((xdpFeatures ?? 0) & bit) !== 0
  return {
    ...info,
    xdpProgram:
      xdpProgram === undefined ? undefined : { id: xdpProgram, mode: xdpGeneric ? 'xdp-generic' : 'xdp' },
    xdp:
      xdpFeatures === undefined
        ? undefined
        : { native: has(XDP_BASIC), redirect: has(XDP_REDIRECT), xmit: has(XDP_NDO_XMIT) },
  }
}

export const net: NetPort = {
  interfaces: () => attempt(() => interfaces()).map(netInterface),
  routes: (addresses) => attempt(() => routesGet(addresses)),
  neighbours: () => attempt(() => neighbours()),
}
