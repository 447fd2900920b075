// @ts-check
/**
 * Carries out steps, one after another, and prints what became of each as a line of JSON. Its argument
 * is a JSON list of steps; sockets have names. None is kept alive by probes.
 *
 * open { on, address, port, localPort?, … }       "open", or the error's code
 * say { on, text }                                the line that comes back, or what ended the connection
 * end { on }                                      closes our side; all that still comes
 * reset { on }                                    "reset"
 * closed { on }                                   waits for the other side; "end", or the error's code
 * upload { on, bytes }                            sends random bytes, closes our side; { answer, sha256 }
 * download { on, bytes }                          asks for so many; whether they are what was sent
 * wait                                            for a line on standard input
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** @typedef {{ op: string, on: string, [option: string]: any }} Step */

const TIMEOUT_MS = 5000
/** @type {Map<string, import('node:net').Socket>} */
const sockets = new Map()

/** @param {unknown} error */
const codeOf = (error) => String(/** @type {{ code?: string }} */ (error).code ?? error)

/** @param {string} name */
function socketOf(name) {
  const socket = sockets.get(name)
  if (socket === undefined) throw new Error(`no socket ${name}`)
  return socket
}

/**
 * @param {Step} step
 * @returns {Promise<string>}
 */
function open({ on, address, port, from, localPort, timeoutMs = TIMEOUT_MS }) {
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      allowHalfOpen: true,
      ...(from && { localAddress: from }),
      ...(localPort && { localPort }),
    })
    sockets.set(on, socket)
    const timer = setTimeout(() => {
      socket.destroy()
      resolve('no answer in time')
    }, timeoutMs)
    const settle = (/** @type {string} */ outcome) => {
      clearTimeout(timer)
      resolve(outcome)
    }
    socket.once('connect', () => settle('open'))
    socket.on('error', (error) => settle(codeOf(error)))
  })
}

/**
 * What comes first: data, the end, or an error.
 * @param {import('node:net').Socket} socket
 * @returns {Promise<string>}
 */
function next(socket) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done('no answer in time'), TIMEOUT_MS)
    const onData = (/** @type {Buffer} */ data) => done(data.toString().trim())
    const onEnd = () => done('end')
    const onError = (/** @type {Error} */ error) => done(codeOf(error))
    const done = (/** @type {string} */ outcome) => {
      clearTimeout(timer)
      socket.off('data', onData).off('end', onEnd).off('error', onError).pause()
      resolve(outcome)
    }
    if (socket.errored) return done(codeOf(socket.errored))
    if (socket.readableEnded) return done('end')
    socket.on('data', onData).on('end', onEnd).on('error', onError).resume()
  })
}

/** @param {import('node:net').Socket} socket */
const rest = (socket) => buffer(socket).catch(codeOf)

/** @type {Record<string, (step: Step) => Promise<unknown>>} */
const operations = {
  open,
  async say({ on, text }) {
    const socket = socketOf(on)
    socket.write(`${text}\n`)
    return next(socket)
  },
  async end({ on }) {
    const socket = socketOf(on)
    socket.end()
    return (await rest(socket)).toString().trim()
  },
  async reset({ on }) {
    socketOf(on).resetAndDestroy()
    return 'reset'
  },
  async closed({ on }) {
    const socket = socketOf(on)
    const outcome = await next(socket)
    socket.destroy()
    return outcome
  },
  async wait() {
    await once(process.stdin.resume(), 'data')
    process.stdin.pause()
    return 'told'
  },
  async upload({ on, bytes }) {
    const socket = socketOf(on)
    const content = randomBytes(bytes)
    socket.end(content)
    const answer = (await rest(socket)).toString().trim()
    return { answer, sha256: createHash('sha256').update(content).digest('hex') }
  },
  async download({ on, bytes }) {
    const socket = socketOf(on)
    socket.write(`${bytes}\n`)
    const content = Buffer.from(await rest(socket))
    socket.end()
    const sum = createHash('sha256').update(content.subarray(0, bytes)).digest()
    return content.length === bytes + sum.length && sum.equals(content.subarray(bytes))
  },
}

for (const step of JSON.parse(process.argv[2] ?? '[]')) {
  console.log(JSON.stringify(await operations[step.op]?.(step)))
}
for (const socket of sockets.values()) socket.destroy()
