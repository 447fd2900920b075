/** The lab that peers are compared in: one client, one machine with the service, and what is between. */
import { type Lab } from '../../test/support/netns.ts'
import { benchLab } from '../support/labs.ts'

/** Two addresses of one server, so that there is something to share connections among. */
export const backendAddresses = ['10.0.0.11', '10.0.0.12'] as const
export const webPort = 8000
export const throughputPort = 5201

export async function peersLab(): Promise<Lab> {
  const lab = await benchLab({ backends: 1, backendNetwork: 'separate' })
  const [backend] = lab.backends
  await backend!.exec(['ip', 'address', 'add', `${backendAddresses[1]}/24`, 'dev', 'eth0'])
  // Unlike in a test, nothing stands for a wire here: segments may be large and checksums left to hardware.
  for (const host of [lab.client, backend!])
    await host.exec(['ethtool', '-K', 'eth0', 'tx', 'on', 'gro', 'on'])
  lab.write('web.conf', webServer(lab.folder))
  backend!.spawn(['nginx', '-p', lab.folder, '-c', 'web.conf', '-e', 'stderr'])
  backend!.spawn(['iperf3', '--server', '--port', String(throughputPort)])
  return lab
}

const webServer = (folder: string) => `
daemon off;
user root;
pid ${folder}/web.pid;
worker_processes 1;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen ${webPort} backlog=4096;
    location / { return 200 "hello\\n"; }
  }
}
`
