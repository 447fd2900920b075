import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { decode, encode, streamEncode, type DecodedPacket, type Packet } from 'dns-packet'

export interface DnsServer extends AsyncDisposable {
  /** As `servers` of a resolver wants it. */
  readonly address: string
  readonly port: number
}

/** A port that is free for UDP and TCP. */
async function freePort(): Promise<number> {
  for (;;) {
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const { port } = udp.address()
    const tcp = createServer()
    tcp.listen(port, '127.0.0.1')
    const isFree = await Promise.race([
      once(tcp, 'listening').then(() => true),
      once(tcp, 'error').then(() => false),
    ])
    await new Promise<void>((resolve) => udp.close(resolve))
    if (!isFree) continue
    await new Promise((resolve) => tcp.close(resolve))
    return port
  }
}

interface Place {
  readonly port?: number
  /** A network namespace; without one, this process's. */
  readonly namespace?: string
}

/** A real DNS server that knows what its arguments say, and that nothing else ends in `.test`. */
export async function dnsmasq(records: readonly string[], place: Place = {}): Promise<DnsServer> {
  const at = place.port ?? (await freePort())
  const inside = place.namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${place.namespace}`]
  const own = [
    ...['--no-daemon', '--conf-file=/dev/null', '--pid-file=', '--user=root', '--log-facility=-'],
    ...['--no-resolv', '--no-hosts', '--local=/test/', '--bind-interfaces', '--listen-address=127.0.0.1'],
    `--port=${at}`,
  ]
  // Either is this program in the end: nsenter becomes what it starts.
  const [command = '', ...args] = [...inside, 'dnsmasq', ...own, ...records]
  const child = spawn(command, args)
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`dnsmasq: ${log}`)))
    child.stderr.on('data', (text: Buffer) => {
      log += text.toString()
      if (log.includes('started')) resolve()
    })
  })
  return {
    address: `127.0.0.1:${at}`,
    port: at,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'close')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** What a server of one's own sends: a message, these bytes, or nothing. */
export type Reply = Partial<Packet> | Buffer | undefined

export interface Asked {
  readonly name: string
  readonly type: string
  readonly transport: 'udp' | 'tcp'
  readonly query: DecodedPacket
}

/** A DNS server that answers whatever `answer` says, by UDP and by TCP. */
export async function dnsServer(answer: (asked: Asked) => Reply): Promise<DnsServer> {
  const port = await freePort()
  const reply = (message: Buffer, transport: Asked['transport']): Packet | Buffer | undefined => {
    const query = decode(message)
    const [question] = query.questions ?? []
    if (!question) return undefined
    const made = answer({ name: question.name, type: question.type, transport, query })
    if (made === undefined || Buffer.isBuffer(made)) return made
    return { type: 'response', id: query.id ?? 0, questions: [question], ...made }
  }

  const udp = createSocket('udp4')
  udp.on('message', (message, from) => {
    const made = reply(message, 'udp')
    if (made) udp.send(Buffer.isBuffer(made) ? made : encode(made), from.port, from.address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')

  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    let pending = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0)
        const made = reply(pending.subarray(2, end), 'tcp')
        pending = pending.subarray(end)
        if (made) socket.write(Buffer.isBuffer(made) ? made : streamEncode(made))
      }
    })
  })
  tcp.listen(port, '127.0.0.1')
  await once(tcp, 'listening')
  return {
    address: `127.0.0.1:${(tcp.address() as AddressInfo).port}`,
    port,
    [Symbol.asyncDispose]: async () => {
      const closed = [once(udp, 'close'), once(tcp, 'close')]
      udp.close()
      tcp.close()
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
    },
  }
}
