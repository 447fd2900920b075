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

const POLICIES = `
{:proxies
 [{:name "web"
   :listen {:interfaces ["eth0"] :port 80}
   :default-target
   [{:ip "10.0.0.1" :port 8080 :weight 50        ; Static IP
     :health-check {:type :tcp
                    :interval-ms 5000
                    :timeout-ms 2000}}
    {:host "dynamic.backend.local"               ; DNS hostname
     :port 8080
     :weight 50
     :dns-refresh-seconds 10
     :health-check {:type :http
                    :path "/health"
                    :interval-ms 5000
                    :expected-codes [200 204]}}]}

  {:name "pods"
   :listen {:interfaces ["eth0"] :port 81}
   :default-target {:host "myapp.default.svc.cluster.local" :port 8080 :dns-refresh-seconds 5}}]

 :settings
 {:health-check-enabled true
  :health-check-defaults
  {:type :tcp
   :interval-ms 10000          ; Check every 10 seconds
   :timeout-ms 3000            ; 3 second timeout
   :healthy-threshold 2        ; 2 successes = healthy
   :unhealthy-threshold 3}     ; 3 failures = unhealthy
  :default-drain-timeout-ms 30000
  :drain-check-interval-ms 1000
  :load-balancing {:algorithm :least-connections :weighted true :update-interval-ms 1000}
  :circuit-breaker {:enabled true :error-threshold-pct 50 :min-requests 10 :open-duration-ms 30000
                    :half-open-requests 3 :window-size-ms 60000}
  :metrics {:enabled true
            :port 9090
            :path "/metrics"}}}
`

it('loads names, health checks, circuit breakers, load balancing and metrics', () => {
  expect(problemsOf(POLICIES, 'edn')).toEqual([])
  const answers = new Map([
    ['dynamic.backend.local', ['10.0.0.2', '10.0.0.3']],
    ['myapp.default.svc.cluster.local', ['10.0.1.1']],
  ])
  const { proxies, settings } = load(POLICIES, 'edn', answers)
  expect(settings).toEqual({
    ...DEFAULT_SETTINGS,
    healthCheckEnabled: true,
    loadBalancing: { ...DEFAULT_SETTINGS.loadBalancing, algorithm: 'least-connections' },
    circuitBreaker: { ...DEFAULT_SETTINGS.circuitBreaker, enabled: true },
    metrics: { ...DEFAULT_SETTINGS.metrics, enabled: true },
  })
  expect(proxies[0]?.defaultTarget).toEqual([
    {
      ip: '10.0.1.1',
      port: 8080,
      weight: null,
      origin: { host: 'myapp.default.svc.cluster.local', weight: null, dnsRefreshSeconds: 5 },
    },
  ])
  expect(proxies[1]?.defaultTarget).toMatchObject([
    { ip: '10.0.0.1', weight: 50, healthCheck: { type: 'tcp', intervalMs: 5000, timeoutMs: 2000 } },
    { ip: '10.0.0.2', weight: 25, healthCheck: { type: 'http', http: { expectedCodes: [200, 204] } } },
    { ip: '10.0.0.3', weight: 25, origin: { host: 'dynamic.backend.local', weight: 50 } },
  ])
})
