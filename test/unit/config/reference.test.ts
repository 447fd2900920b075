/** EDN files as they are written for the L4 system that lb can replace load as they are. */
import { expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../../src/engine/model/snapshot.ts'
import { load, problemsOf } from './report.ts'

const FILE = `
{:proxies
 [;; Each proxy configuration
  {:name "web"                    ; Unique identifier
   :listen
   {:interfaces ["eth0" "eth1"]   ; Network interfaces to listen on
    :port 80}                     ; Port to listen on

   :default-target
   [{:ip "10.0.0.1" :port 8080 :weight 50}   ; 50% of traffic
    {:ip "10.0.0.2" :port 8080 :weight 30}
    {:ip "10.0.0.3" :port 8080 :weight 20}]

   :source-routes                 ; Optional: source-based routing rules
   [;; Route internal network to internal backend
    {:source "192.168.0.0/16"
     :target {:ip "10.0.0.10" :port 8080}}
    ;; Route specific host to dedicated backend
    {:source "192.168.1.100"
     :target {:ip "10.0.0.20" :port 8080}}
    {:source "10.10.0.0/16"
     :targets [{:ip "10.0.1.1" :port 8080 :weight 70}
               {:ip "10.0.1.2" :port 8080 :weight 30}]}]}

  {:name "api"
   :listen {:interfaces ["eth0"] :port 8080}
   :default-target {:ip "10.0.1.1" :port 3000}}]

 :settings
 {:connection-timeout-sec 300}}   ; Connection idle timeout
`

it('loads proxies, weights, source routes and settings', () => {
  expect(problemsOf(FILE, 'edn')).toEqual([])
  const { proxies, settings } = load(FILE, 'edn')
  expect(settings).toEqual(DEFAULT_SETTINGS)
  expect(proxies.map(({ name }) => name)).toEqual(['api', 'web'])
  expect(proxies[1]).toMatchObject({
    listen: { interfaces: ['eth0', 'eth1'], address: null, port: 80, protocol: 'tcp' },
    forwarding: 'nat',
    defaultTarget: [{ weight: 50 }, { weight: 30 }, { weight: 20 }],
    sourceRoutes: [
      { source: '10.10.0.0/16', targets: [{ weight: 70 }, { weight: 30 }] },
      { source: '192.168.0.0/16', targets: [{ ip: '10.0.0.10', port: 8080, weight: null }] },
      { source: '192.168.1.100/32', targets: [{ ip: '10.0.0.20', port: 8080, weight: null }] },
    ],
  })
})
