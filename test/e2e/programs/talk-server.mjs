// @ts-check
/**
 * A server of plain TCP. Arguments: its name and three ports. It ends with its standard input.
 *
 * echo:   answers each line with its name and the line; `bye` closes, `reset` resets the connection
 * digest: reads to the end, then answers with its name, the number of bytes and their SHA-256
 * source: reads a number to the end of the line, answers with so many random bytes and their SHA-256
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

const [name = '', ...ports] = process.argv.slice(2)

/** @param {import('node:net').Socket} socket */
function echo(socket) {
  socket.on('data', (data) => {
    // A line a segment: the client waits for the answer to each.
    const line = data.toString().trim()
    if (line === 'reset') socket.resetAndDestroy()
    else if (line === 'bye') socket.end(`${name} bye\n`)
    else socket.write(`${name} ${line}\n`)
  })
  socket.on('end', () => socket.end())
}

/** @param {import('node:net').Socket} socket */
function digest(socket) {
  const hash = createHash('sha256')
  let bytes = 0
  socket.on('data', (chunk) => {
    hash.update(chunk)
    bytes += chunk.length
  })
  socket.on('end', () => socket.end(`${name} ${bytes} ${hash.digest('hex')}\n`))
}

/** @param {import('node:net').Socket} socket */
function source(socket) {
  socket.once('data', (line) => {
    const bytes = randomBytes(Number(line.toString()))
    socket.write(bytes)
    socket.end(createHash('sha256').update(bytes).digest())
  })
}

const servers = [echo, digest, source].map((serve, i) =>
  createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    serve(socket)
  }).listen(Number(ports[i]), '::'),
)
await Promise.all(servers.map((server) => once(server, 'listening')))
console.log('ready')
process.stdin.on('end', () => process.exit()).resume()
