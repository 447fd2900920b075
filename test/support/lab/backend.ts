import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Host } from './host.ts'
import { end } from './run.ts'

export const httpPort = 8080
export const udpPort = 9000

/** A machine with a server that answers with its name, over HTTP and UDP. */
export class Backend extends Host {
  #server: ChildProcess | undefined

  async start(): Promise<void> {
    this.#server ??= await this.program('backend.mjs', [this.name, String(httpPort), String(udpPort)])
  }

  /** Lets the server outlive this process. */
  async keep(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    const stays = once(server, 'message')
    server.send('stay')
    await stays
    server.disconnect()
    server.stderr?.destroy()
    server.unref()
  }

  /** Ends the server: its port refuses connections. */
  async stop(): Promise<void> {
    if (this.#server !== undefined) await end(this.#server)
    this.#server = undefined
  }
}
