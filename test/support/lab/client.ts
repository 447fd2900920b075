import { type ChildProcess } from 'node:child_process'
import { Host } from './host.ts'
import { type Outcome } from './run.ts'

/** Where requests go. */
export interface Target {
  readonly address: string
  readonly port: number
  readonly path?: string
  /** The source address; the client must have it. */
  readonly from?: string
  /** After this a request counts as failed. */
  readonly timeoutMs?: number
  /** Requests under way at a time. */
  readonly concurrency?: number
}

/** What became of every request. `total` is the sum of all counts and the number of failures. */
export interface Tally {
  readonly total: number
  readonly byBackend: Readonly<Record<string, number>>
  readonly failures: readonly string[]
  readonly slowestMs: number
}

/** A connection that stays open. */
export interface Connection extends AsyncDisposable {
  readonly backend: string
  readonly localPort: number
  /** One more request on the same connection; gives who answered. Fails if it was cut. */
  request(): Promise<string>
  close(): Promise<void>
}

/** Requests without a pause, until stopped: by `stop`, or with the scope that it is bound to. */
export interface Traffic extends AsyncDisposable {
  /** Waits until so many more requests are done; gives the counts so far. */
  passed(count: number): Promise<Tally>
  /** Lets the requests under way finish. */
  stop(): Promise<Tally>
}

type Reply = { readonly id: number; readonly result?: unknown; readonly error?: string }

/** A machine that uses the service. */
export class Client extends Host {
  #agent: Promise<ChildProcess> | undefined
  #lastId = 0

  /** `count` requests, each on a new connection. */
  async requests(target: Target & { readonly count: number }): Promise<Tally> {
    return (await this.#ask('requests', { target, count: target.count })) as Tally
  }

  async startTraffic(target: Target): Promise<Traffic> {
    const handle = await this.#ask('startTraffic', { target })
    const stop = async () => (await this.#ask('stopTraffic', { handle })) as Tally
    return {
      passed: async (count) => (await this.#ask('passed', { handle, count })) as Tally,
      stop,
      [Symbol.asyncDispose]: async () => {
        await stop()
      },
    }
  }

  /** Opens a connection and makes a first request on it. */
  async connect(target: Target): Promise<Connection> {
    const opened = (await this.#ask('connect', { target })) as {
      handle: number
      backend: string
      localPort: number
    }
    const { handle, ...facts } = opened
    const close = async () => {
      // Without its client a connection is closed already.
      if ((await this.#agent)?.connected === true) await this.#ask('close', { handle })
    }
    const request = async () => (await this.#ask('again', { handle })) as string
    return { ...facts, request, close, [Symbol.asyncDispose]: close }
  }

  /**
   * `flows` sockets, each sending `perFlow` datagrams one after another. For each socket: who
   * answered each datagram, or what went wrong.
   */
  async udp(
    target: Target & { readonly flows: number; readonly perFlow?: number },
  ): Promise<(string[] | string)[]> {
    const { flows, perFlow = 1 } = target
    return (await this.#ask('udp', { target, flows, perFlow })) as (string[] | string)[]
  }

  curl(url: string, args: readonly string[] = []): Promise<Outcome> {
    return this.run(['curl', '--silent', '--show-error', '--globoff', '--max-time', '10', ...args, url])
  }

  async #ask(operation: string, message: object): Promise<unknown> {
    const agent = await (this.#agent ??= this.program('client.mjs'))
    const id = (this.#lastId += 1)
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        agent.off('message', onReply).off('exit', onExit)
        action()
      }
      const onReply = (reply: Reply) => {
        if (reply.id !== id) return
        const { error, result } = reply
        settle(() => (error === undefined ? resolve(result) : reject(new Error(`${operation}: ${error}`))))
      }
      const onExit = () => settle(() => reject(new Error(`${operation}: the client is gone`)))
      agent.on('message', onReply).on('exit', onExit)
      agent.send({ id, operation, ...message }, (error) => {
        if (error !== null) onExit()
      })
    })
  }
}
