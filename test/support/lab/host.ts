import { once } from 'node:events'
import { type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { end, mustRun, root, run, start, type Outcome, type RunOptions } from './run.ts'
import { type Addresses, type HostPlan } from './topology.ts'

/** A machine of a lab: a network namespace, with the file system and processes of this one. */
export class Host {
  readonly name: string
  readonly namespace: string
  readonly address: Addresses
  readonly #children = new Set<ChildProcess>()

  constructor(plan: HostPlan, namespace: string) {
    this.name = plan.name
    this.namespace = namespace
    this.address = plan.address
  }

  /** The words to put before a command to run it here. Not `ip netns exec`, which hides bpffs. */
  get prefix(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.namespace}`, '--']
  }

  /** Runs a program to its end, whatever that is. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run([...this.prefix, ...argv], options)
  }

  /** Runs a program that has to succeed; gives what it printed. */
  exec(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return mustRun([...this.prefix, ...argv], options)
  }

  /** Starts a program that is ended with the lab, if not before. */
  spawn(argv: readonly string[], options: RunOptions = {}): ChildProcess {
    return this.#keep(start([...this.prefix, ...argv], ['pipe', 'pipe', 'pipe'], options))
  }

  /** Starts one of our programs, and waits until it says that it is ready. */
  async program(file: string, args: readonly string[] = []): Promise<ChildProcess> {
    const path = join(root, 'test/support/lab/programs', file)
    const argv = [...this.prefix, process.execPath, path, ...args]
    const child = this.#keep(start(argv, ['ignore', 'ignore', 'pipe', 'ipc'], { detached: true }))
    child.stderr?.pipe(process.stderr)
    const early = once(child, 'exit').then(() =>
      Promise.reject(new Error(`${this.name}: ${file} did not start`)),
    )
    early.catch(() => undefined)
    await Promise.race([once(child, 'message'), early])
    return child
  }

  /** Ends what was started here. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => end(child)))
  }

  #keep(child: ChildProcess): ChildProcess {
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }
}
