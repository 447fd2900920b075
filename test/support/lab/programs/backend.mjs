// @ts-check
/**
 * A server that says its name, over HTTP and UDP, on every address of the machine it is on.
 * Arguments: its name, the HTTP port, the UDP port. It ends with the process that started it,
 * unless that sends it a message first.
 *
 * GET /           its name
 * GET /bytes/N    N bytes
 * POST anything   how many bytes it received
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'

const [name = '', httpPort, udpPort] = process.argv.slice(2)

const server = createServer((request, response) => {
  const { remoteAddress, remotePort } = request.socket
  response.setHeader('x-backend', name).setHeader('x-client', `${remoteAddress} ${remotePort}`)
  const bytes = /^\/bytes\/(\d+)$/.exec(request.url ?? '')?.[1]
  if (request.method === 'POST') {
    let received = 0
    request.on('data', (chunk) => (received += chunk.length)).on('end', () => response.end(`${received}\n`))
  } else {
    response.end(bytes === undefined ? `${name}\n` : Buffer.alloc(Number(bytes), 'lb'))
  }
})
// An idle connection stays until the client closes it.
server.keepAliveTimeout = 0
server.listen(Number(httpPort), '::')

const sockets = /** @type {const} */ (['udp4', 'udp6']).map((type) => {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' })
  socket.on('message', (message, from) => socket.send(`${name} ${message}`, from.port, from.address))
  return socket.bind(Number(udpPort))
})

process.once('disconnect', () => process.exit())
process.once('message', () => {
  process.removeAllListeners('disconnect')
  process.send?.('staying')
})
await Promise.all([server, ...sockets].map((listening) => once(listening, 'listening')))
process.send?.('ready')
