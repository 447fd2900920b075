import { createLab, vip, type Lab } from '../../test/support/netns.ts'
import { removeLab } from '../../test/support/lab/cleanup.ts'
import { start } from '../../test/support/lab/run.ts'
import { command, say } from './screen.ts'

const names = { namespacePrefix: 'lb-demo-', instance: 'demo' }

export const service = { address: vip.ipv4, port: 80 }

/** Removes everything that a demo makes, also one that was kept or killed. */
export function removePlayground(): Promise<void> {
  return removeLab(names)
}

export function makePlayground(): Promise<Lab> {
  return createLab({ backends: 3 }, names)
}

/** The configuration, with these weights. */
export function configuration(lab: Lab, weights: readonly number[]): string {
  const targets = lab.backends.map(
    ({ address }, i) => `      - { ip: ${address.ipv4}, port: 8080, weight: ${weights[i]!} }\n`,
  )
  return `version: 1
proxies:
  - name: web
    listen: { interfaces: [front0], address: ${service.address}, port: ${service.port}, protocol: tcp }
    defaultTarget:
${targets.join('')}`
}

/** Shows a command of lb and what it prints. @throws where it fails */
export async function lb(lab: Lab, ...args: string[]): Promise<void> {
  command(`lb ${args.join(' ')}`)
  const argv = [...lab.lb.prefix, ...lab.lbCommand(args)]
  const child = start(argv, ['ignore', 'inherit', 'inherit'], { cwd: lab.folder })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve).once('error', reject)
  })
  if (status !== 0) throw new Error(`lb ${args.join(' ')} ended with exit status ${status ?? 'none'}`)
}

export function explainPlayground(lab: Lab): void {
  const client = lab.client.prefix.join(' ')
  const [node, program, ...instance] = lab.lbCommand(['show'])
  say(`
The playground stays. Its load balancer, client and backends are the network namespaces lb-demo-*.

A request through the load balancer:
  ${client} curl http://${service.address}/

lb on the load balancer, for this shell:
  lb() { ${lab.lb.prefix.join(' ')} ${node!} ${program!} "$@" ${instance.slice(1).join(' ')}; }
  cd ${lab.folder}

Then change lb.yaml and try
  lb plan
  lb apply
  lb history
  lb rollback

To remove all of it:
  npm start -- --remove`)
}
