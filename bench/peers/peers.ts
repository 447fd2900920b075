/** What stands between client and server, each in its turn. */
import { end } from '../../test/support/lab/run.ts'
import { vip, type Lab } from '../../test/support/netns.ts'
import { backendAddresses, throughputPort, webPort } from './network.ts'

export interface Peer {
  readonly name: string
  /** Where clients find the service. */
  readonly address: string
  readonly webPort: number
  /** Puts it in place; gives how to take it away again. */
  start(lab: Lab): Promise<() => Promise<void>>
}

const service = { address: vip.ipv4, webPort: 80 }
const [first] = backendAddresses

/** Both services: the port that clients use, and the targets behind it. */
const proxies = [
  { name: 'web', port: service.webPort, targets: backendAddresses.map((ip) => ({ ip, port: webPort })) },
  {
    name: 'throughput',
    port: throughputPort,
    targets: backendAddresses.map((ip) => ({ ip, port: throughputPort })),
  },
] as const

/** No load balancer: the client knows the server's address. What the others are measured by. */
const routing: Peer = {
  name: 'plain routing',
  address: first,
  webPort,
  start: () => Promise.resolve(() => Promise.resolve()),
}

const lb: Peer = {
  name: 'lb',
  ...service,
  async start(lab) {
    const listen = { interfaces: ['front0'], address: vip.ipv4, protocol: 'tcp' }
    lab.write('lb.yaml', {
      version: 1,
      proxies: proxies.map(({ name, port, targets }) => ({
        name,
        listen: { ...listen, port },
        defaultTarget: targets,
      })),
    })
    await lab.lbMust(['apply', '--yes'])
    return async () => {
      await lab.lbMust(['destroy', '--yes'])
    }
  },
}

const nftables: Peer = {
  name: 'nftables DNAT',
  ...service,
  async start(lab) {
    const rule = ({ port, targets }: (typeof proxies)[number]) =>
      `ip daddr ${vip.ipv4} tcp dport ${port} dnat to numgen random mod 2 map ` +
      `{ 0 : ${targets[0]!.ip} . ${targets[0]!.port}, 1 : ${targets[1]!.ip} . ${targets[1]!.port} }`
    const rules = proxies.map(rule).join('\n')
    const table = `table ip bench { chain in { type nat hook prerouting priority dstnat;\n${rules}\n}\n}\n`
    await lab.lb.exec(['nft', '-f', '-'], { input: table })
    return async () => {
      await lab.lb.exec(['nft', 'delete', 'table', 'ip', 'bench'])
    }
  },
}

const haproxy: Peer = {
  name: 'HAProxy, TCP mode',
  ...service,
  start(lab) {
    const listen = ({ name, port, targets }: (typeof proxies)[number]) =>
      [
        `listen ${name}`,
        `  bind ${vip.ipv4}:${port} backlog 4096`,
        '  balance random',
        ...targets.map(({ ip, port: to }, i) => `  server s${i} ${ip}:${to}`),
      ].join('\n')
    const defaults = 'defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s'
    const configuration = ['global\n  maxconn 8000', defaults, ...proxies.map(listen)].join('\n')
    return run(lab, ['haproxy', '-db', '-f', lab.write('haproxy.cfg', `${configuration}\n`)])
  },
}

const nginx: Peer = {
  name: 'nginx stream',
  ...service,
  start(lab) {
    const server = ({ name, port, targets }: (typeof proxies)[number]) => `
  upstream ${name} { random; ${targets.map(({ ip, port: to }) => `server ${ip}:${to};`).join(' ')} }
  server { listen ${vip.ipv4}:${port} backlog=4096; proxy_pass ${name}; }`
    lab.write(
      'stream.conf',
      `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user root;
pid ${lab.folder}/stream.pid;
worker_processes auto;
events { worker_connections 8192; }
stream {${proxies.map(server).join('')}
}
`,
    )
    return run(lab, ['nginx', '-p', lab.folder, '-c', 'stream.conf', '-e', 'stderr'])
  },
}

/** A program that serves until it is told to end. @throws in the end where it ended by itself */
function run(lab: Lab, argv: readonly string[]): Promise<() => Promise<void>> {
  const child = lab.lb.spawn(argv)
  let said = ''
  for (const output of [child.stdout, child.stderr]) {
    output?.on('data', (part: Buffer) => (said = `${said}${part.toString()}`.slice(-2000)))
  }
  return Promise.resolve(async () => {
    const { exitCode } = child
    await end(child, 'SIGTERM')
    if (exitCode !== null) throw new Error(`${argv[0]!} ended with status ${exitCode}: ${said}`)
  })
}

export const reference = routing
export const ours = lb
export const peers: readonly Peer[] = [routing, lb, nftables, haproxy, nginx]
