// @ts-check
/**
 * A client that does what it is told in messages from the process that started it, and accounts for
 * every single request. It ends with that process.
 */
import { createSocket } from 'node:dgram'
import { Agent, get } from 'node:http'
import { isIPv6 } from 'node:net'

/**
 * @typedef {{ address: string, port: number, path?: string, from?: string, timeoutMs?: number }} Target
 * @typedef {{ total: number, byBackend: Record<string, number>, failures: string[], slowestMs: number }} Tally
 */

/** @returns {Tally} */
const emptyTally = () => ({ total: 0, byBackend: {}, failures: [], slowestMs: 0 })

/**
 * One request; gives who answered, and from which local port it went out.
 * @param {Target} target
 * @param {Agent | false} agent false: a connection of its own
 * @returns {Promise<{ backend: string, localPort: number }>}
 */
function request({ address, port, path = '/', from, timeoutMs = 5000 }, agent) {
  return new Promise((resolve, reject) => {
    const options = {
      host: address,
      port,
      path,
      agent,
      localAddress: from,
      signal: AbortSignal.timeout(timeoutMs),
    }
    const sent = get(options, (response) => {
      const localPort = response.socket.localPort ?? 0
      response.on('error', reject).on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`))
        else resolve({ backend: String(response.headers['x-backend']), localPort })
      })
      response.resume()
    })
    sent.on('error', reject)
  })
}

/**
 * @param {Target} target
 * @param {Tally} tally
 */
async function counted(target, tally) {
  const started = performance.now()
  try {
    const { backend } = await request(target, false)
    tally.byBackend[backend] = (tally.byBackend[backend] ?? 0) + 1
  } catch (error) {
    tally.failures.push(describe(error))
  }
  tally.total += 1
  tally.slowestMs = Math.max(tally.slowestMs, performance.now() - started)
}

/** @param {unknown} error */
const describe = (error) =>
  error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : String(error)

/**
 * Requests one after another in each of `concurrency` lanes, while `more()` says so.
 * @param {Target & { concurrency?: number }} target
 * @param {Tally} tally
 * @param {() => boolean} more
 * @param {() => void} [after] called after each
 */
async function lanes(target, tally, more, after = () => {}) {
  const lane = async () => {
    while (more()) {
      await counted(target, tally)
      after()
    }
  }
  await Promise.all(Array.from({ length: target.concurrency ?? 10 }, lane))
  return tally
}

/**
 * Datagrams on one socket, each sent when the one before is answered.
 * @param {Target} target
 * @param {number} perFlow
 * @returns {Promise<string[]>} who answered each
 */
async function udpFlow({ address, port, from, timeoutMs = 2000 }, perFlow) {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  try {
    await new Promise((resolve) => socket.bind(0, from, () => resolve(undefined)))
    const answers = []
    for (let i = 0; i < perFlow; i += 1) answers.push(await udpExchange(socket, address, port, timeoutMs, i))
    return answers
  } finally {
    socket.close()
  }
}

/**
 * @param {import('node:dgram').Socket} socket
 * @param {string} address
 * @param {number} port
 * @param {number} timeoutMs
 * @param {number} number
 * @returns {Promise<string>}
 */
function udpExchange(socket, address, port, timeoutMs, number) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs)
    const done = (/** @type {() => void} */ settle) => {
      clearTimeout(timer)
      socket.removeAllListeners('message').removeAllListeners('error')
      settle()
    }
    socket.once('error', (error) => done(() => reject(error)))
    socket.once('message', (message, sender) => {
      const [backend = '', echoed] = message.toString().split(' ')
      const right = sender.address === address && sender.port === port && echoed === String(number)
      const wrong = new Error(`unexpected answer ${message} from ${sender.address} ${sender.port}`)
      done(() => (right ? resolve(backend) : reject(wrong)))
    })
    socket.send(String(number), port, address)
  })
}

/** @typedef {{ goal: number, reached: () => void }} Waiter */
/** @type {Map<number, { tally: Tally, waiters: Set<Waiter>, stop: () => void, done: Promise<Tally> }>} */
const traffic = new Map()
/** @type {Map<number, { target: Target, agent: Agent, localPort: number }>} */
const connections = new Map()
let lastHandle = 0

/** @type {Record<string, (message: any) => Promise<unknown>>} */
const operations = {
  async requests({ target, count }) {
    let left = count
    return lanes(target, emptyTally(), () => left-- > 0)
  },
  async startTraffic({ target }) {
    const tally = emptyTally()
    /** @type {Set<Waiter>} */
    const waiters = new Set()
    const after = () => {
      for (const waiter of waiters) if (tally.total >= waiter.goal) waiter.reached()
    }
    let running = true
    const done = lanes(target, tally, () => running, after)
    traffic.set((lastHandle += 1), { tally, waiters, stop: () => (running = false), done })
    return lastHandle
  },
  async passed({ handle, count }) {
    const running = traffic.get(handle)
    if (running === undefined) throw new Error('stopped')
    const goal = running.tally.total + count
    await new Promise((resolve) => {
      const waiter = { goal, reached: () => (running.waiters.delete(waiter), resolve(undefined)) }
      running.waiters.add(waiter)
    })
    return running.tally
  },
  async stopTraffic({ handle }) {
    const running = traffic.get(handle)
    traffic.delete(handle)
    running?.stop()
    return running?.done
  },
  async connect({ target }) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const { backend, localPort } = await request(target, agent)
    connections.set((lastHandle += 1), { target, agent, localPort })
    return { handle: lastHandle, backend, localPort }
  },
  async again({ handle }) {
    const connection = connections.get(handle)
    if (connection === undefined) throw new Error('closed')
    const { backend, localPort } = await request(connection.target, connection.agent)
    if (localPort !== connection.localPort) throw new Error('the connection was lost')
    return backend
  },
  async close({ handle }) {
    connections.get(handle)?.agent.destroy()
    connections.delete(handle)
  },
  async udp({ target, flows, perFlow }) {
    return Promise.all(
      Array.from({ length: flows }, () => udpFlow(target, perFlow).catch((error) => describe(error))),
    )
  },
}

process.once('disconnect', () => process.exit())
process.on('message', async (/** @type {any} */ message) => {
  try {
    process.send?.({ id: message.id, result: await operations[message.operation]?.(message) })
  } catch (error) {
    process.send?.({ id: message.id, error: describe(error) })
  }
})
process.send?.('ready')
