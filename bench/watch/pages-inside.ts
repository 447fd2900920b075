/**
 * The targets whose failure is to be noticed: answers HTTP at all addresses of its machine with 200, or with 503 at
 * those that are named on stdin, one a line. Says when each of them first answered so.
 */
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

/** When a target gave the answer that makes it sick. */
export interface Sick {
  readonly address: string
  /** process.hrtime, which all processes of a host share. */
  readonly atNs: string
}

const response = (status: string) => Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`)
const good = response('200 OK')
const bad = response('503 Service Unavailable')

/** Those that have not answered since they were named are `false`. */
const sick = new Map<string, boolean>()

const server = createServer((socket) => {
  const address = socket.localAddress!
  socket.on('error', () => undefined)
  socket.once('data', () => {
    const answered = sick.get(address)
    const atNs = process.hrtime.bigint().toString()
    socket.end(answered === undefined ? good : bad)
    if (answered !== false) return
    sick.set(address, true)
    process.stdout.write(`${JSON.stringify({ address, atNs } satisfies Sick)}\n`)
  })
})
server.listen({ port: Number(process.argv[2]), host: '0.0.0.0', backlog: 4096 }, () =>
  process.stdout.write('ready\n'),
)
createInterface({ input: process.stdin }).on('line', (address) => sick.set(address, false))
