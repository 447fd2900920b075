// @ts-check
/**
 * Sends a datagram of each size and prints whether each came back as it was sent, with the name of a
 * server and a space before it. Arguments: address, port, sizes.
 */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'

const [address = '', port, ...sizes] = process.argv.slice(2)
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
const outcomes = []
for (const size of sizes) {
  const sent = randomBytes(Number(size)).toString('base64').slice(0, Number(size))
  socket.send(sent, Number(port), address)
  const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(5000) })
  const text = answer.toString()
  outcomes.push(text.slice(text.indexOf(' ') + 1) === sent ? 'whole' : text)
}
console.log(JSON.stringify(outcomes))
socket.close()
