import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Backend } from './backend.ts'
import { removeLab } from './cleanup.ts'
import { Client } from './client.ts'
import { Host } from './host.ts'
import { testNames, type LabNames } from './names.ts'
import { mustRun, root, type Outcome, type RunOptions } from './run.ts'
import { topology, type End, type HostPlan, type Shape, type Topology } from './topology.ts'

export interface CliOutcome extends Outcome {
  /** The document that `--json` printed. */
  readonly json: () => unknown
}

export interface CliOptions extends RunOptions {
  /** Words to put before the command, such as `strace -f`. */
  readonly wrap?: readonly string[]
}

/** Machines, cables and addresses of a test, and a load balancer on one of them. */
export class Lab implements AsyncDisposable {
  readonly lb: Host
  readonly clients: readonly Client[]
  readonly backends: readonly Backend[]
  /** Servers on the load balancer itself, where the shape has them. Its name is `local`. */
  readonly localBackend: Backend | undefined
  readonly instance: string
  /** A temporary folder. */
  readonly folder: string
  readonly #names: LabNames
  readonly #others: readonly Host[]

  constructor(names: LabNames, plan: Topology, shape: Shape) {
    const namespace = (host: HostPlan) => names.namespacePrefix + host.name
    this.lb = new Host(plan.lb, namespace(plan.lb))
    this.clients = plan.clients.map((client) => new Client(client, namespace(client)))
    this.backends = plan.backends.map((backend) => new Backend(backend, namespace(backend)))
    this.#others = plan.others.map((other) => new Host(other, namespace(other)))
    const local = { ...plan.lb, name: 'local' }
    this.localBackend = shape.localBackend === true ? new Backend(local, namespace(plan.lb)) : undefined
    this.instance = names.instance
    this.folder = mkdtempSync(join(tmpdir(), names.namespacePrefix))
    this.#names = names
  }

  /** The first client. */
  get client(): Client {
    return this.clients[0]!
  }

  get hosts(): readonly Host[] {
    return [this.lb, ...this.clients, ...this.backends, ...this.#others]
  }

  /** Writes a file into the lab's folder; gives its path. Anything but text becomes JSON, which is YAML too. */
  write(name: string, content: unknown): string {
    const path = join(this.folder, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
    return path
  }

  /** Runs lb on the load balancer, in the lab's instance and folder, to its end, whatever that is. */
  async lbCli(args: readonly string[], options: CliOptions = {}): Promise<CliOutcome> {
    const { wrap = [], ...rest } = options
    const argv = [...wrap, ...this.lbCommand(args)]
    const outcome = await this.lb.run(argv, {
      cwd: this.folder,
      ...rest,
      env: { ...lbEnv, ...rest.env },
    })
    return { ...outcome, json: () => JSON.parse(outcome.stdout) as unknown }
  }

  /** Runs lb, which has to succeed; gives what it printed on stdout. */
  async lbMust(args: readonly string[], options: CliOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.lbCli(args, options)
    if (code !== 0) throw new Error(`lb ${args.join(' ')}: exit status ${code}\n${stdout}${stderr}`)
    return stdout
  }

  /** The words of a command of lb in the lab's instance, for those who start it in other ways. */
  lbCommand(args: readonly string[]): string[] {
    // --version, --help and nothing at all have no instance.
    const instance = args[0]?.startsWith('-') === false ? ['--instance', this.instance] : []
    return [process.execPath, join(root, 'bin/run.js'), ...args, ...instance]
  }

  /** Leaves everything where it is, with its servers running, for `removeLab` to find. */
  async keep(): Promise<void> {
    await Promise.all(this.backends.map((backend) => backend.keep()))
    await Promise.all(this.clients.map((client) => client.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hosts = this.localBackend === undefined ? this.hosts : [...this.hosts, this.localBackend]
    await Promise.all(hosts.map((host) => host.close()))
    await removeLab(this.#names)
  }
}

/** Makes a lab with all its servers listening. Bind it with `await using`: it is removed with its scope. */
export async function createLab(shape: Shape = {}, names: LabNames = testNames()): Promise<Lab> {
  const plan = topology(shape)
  const lab = new Lab(names, plan, shape)
  try {
    await build(lab, plan, names)
    const servers = lab.localBackend === undefined ? lab.backends : [...lab.backends, lab.localBackend]
    await Promise.all(servers.map((server) => server.start()))
    return lab
  } catch (error) {
    await lab[Symbol.asyncDispose]()
    throw error
  }
}

async function build(lab: Lab, plan: Topology, { namespacePrefix }: LabNames): Promise<void> {
  const place = ({ host, device, mtu }: End) => `name ${device} mtu ${mtu} netns ${namespacePrefix}${host}`
  const commands = [
    ...lab.hosts.map(({ namespace }) => `netns add ${namespace}`),
    ...plan.cables.map(([near, far]) => `link add ${place(near)} type veth peer ${place(far)}`),
  ]
  await mustRun(['ip', '-batch', '-'], { input: `${commands.join('\n')}\n` })
  const plans = [plan.lb, ...plan.clients, ...plan.backends, ...plan.others]
  await Promise.all(
    lab.hosts.map((host, i) =>
      host.exec(['sh', '-e'], { input: [...common, ...plans[i]!.script].join('\n') }),
    ),
  )
}

/** What the test runner sets for itself would change how lb behaves. */
export const lbEnv = {
  NODE_ENV: undefined,
  NODE_OPTIONS: undefined,
  FORCE_COLOR: undefined,
  VITEST: undefined,
}

/** For every machine. Packets that come and go by different ways are part of what is tested. */
const common = [
  'for filter in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > "$filter"; done',
  'for device in $(ip -o link show | cut -d: -f2 | cut -d@ -f1); do ip link set "$device" up; done',
]
