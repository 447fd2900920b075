/** What a process inside the network namespace does: the kernel takes interfaces and routes from there. */
import { BpfLink, BpfObject, interfaces } from '../../../native/index.ts'
import type { Frame } from './runner.ts'

/** Held so that they stay attached. */
const links: BpfLink[] = []

export type Devices = Readonly<Record<string, number>>

/** Numbers of the interfaces here. XDP runs on an interface's queue, which exists only while an XDP program is attached. */
export function prepareDevices(idleObject: string): Devices {
  const devices = Object.fromEntries(interfaces().map(({ name, ifindex }) => [name, ifindex]))
  if (idleObject === '') return devices
  using object = BpfObject.load(idleObject, { programs: ['xdp_drop'] })
  using program = object.program('xdp_drop')
  for (const [name, ifindex] of Object.entries(devices)) {
    if (name !== 'lo' && !name.endsWith('p')) links.push(BpfLink.attachXdp(program, ifindex, 'native'))
  }
  return devices
}

/* struct xdp_md of <linux/bpf.h>: data, data_end, data_meta, ingress_ifindex, … */
export function xdpContext({ data, device }: Frame, devices: Devices): Uint8Array {
  return new Uint8Array(Uint32Array.of(0, data.length, 0, devices[device]!, 0, 0).buffer)
}

/* struct __sk_buff: 48 words. */
export function skbContext(
  { device, gsoSize = 0, gsoSegments = 0 }: Omit<Frame, 'data'>,
  devices: Devices,
): Uint8Array {
  const words = new Uint32Array(48)
  words[36 / 4] = devices[device]!
  words[40 / 4] = devices[device]!
  words[164 / 4] = gsoSegments
  words[176 / 4] = gsoSize
  return new Uint8Array(words.buffer)
}
