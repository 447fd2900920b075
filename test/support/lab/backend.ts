import { type ChildProcess } from 'node:child_process'
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

  /** Ends the server: its port refuses connections. */
  async stop(): Promise<void> {
    if (this.#server !== undefined) await end(this.#server)
    this.#server = undefined
  }
}
