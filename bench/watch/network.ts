/** The lab that checks are made in: one machine that answers at 10,000 addresses. */
import { type Lab } from '../../test/support/netns.ts'
import { benchLab } from '../support/labs.ts'

/** nginx: answers every request with 200, and takes part in nothing that is measured. */
export const answeringPort = 8000

/** Addresses of targets: 10.64.0.0 and up. All are the backend machine's. */
export const targetAddress = (i: number) => `10.64.${i >> 8}.${i & 255}`
const network = '10.64.0.0/15'

export async function watchLab(): Promise<Lab> {
  const lab = await benchLab({ backends: 1, backendNetwork: 'separate' })
  const [backend] = lab.backends
  await backend!.exec(['ip', 'route', 'add', 'local', network, 'dev', 'lo'])
  await lab.lb.exec(['ip', 'route', 'add', network, 'via', backend!.address.ipv4])
  lab.write('answering.conf', webServer(lab.folder))
  backend!.spawn(['nginx', '-p', lab.folder, '-c', 'answering.conf', '-e', 'stderr'])
  return lab
}

/** Handshakes that came to the backends: those that were completed, and those that a reset ended before that. */
export async function handshakes(lab: Lab): Promise<number> {
  const [backend] = lab.backends
  const text = await backend!.exec(['cat', '/proc/net/snmp', '/proc/net/netstat'])
  const lines = text.split('\n').map((line) => line.split(' '))
  const counter = (group: string, name: string): number => {
    const [names, values] = lines.filter(([first]) => first === group)
    return Number(values![names!.indexOf(name)])
  }
  return counter('Tcp:', 'PassiveOpens') + counter('TcpExt:', 'EmbryonicRsts')
}

const webServer = (folder: string) => `
daemon off;
user root;
pid ${folder}/answering.pid;
worker_processes 1;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen ${answeringPort} backlog=4096;
    location / { return 200 "hello\\n"; }
  }
}
`
