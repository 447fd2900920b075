/** Serves metrics over HTTP where the configuration that serves says so; follows it when it changes. */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { LbError } from '../../engine/model/errors.ts'
import type { Metrics as MetricsSettings } from '../../engine/model/policy.ts'
import type { ProbeResult } from '../../engine/model/probe.ts'
import type { TargetKey } from '../../engine/model/runtime.ts'
import type { Log } from '../log.ts'
import type { Metrics, Reading } from './registry.ts'

export interface Exporter extends Disposable {
  readonly configure: (settings: MetricsSettings) => void
  readonly probed: (key: TargetKey, result: ProbeResult) => void
}

const LIMITS = { connections: 16, headerBytes: 8 * 1024, requestMs: 10_000 }

export function makeExporter(log: Log, read: () => Reading): Exporter {
  let current: MetricsSettings | undefined
  let server: Server | undefined
  let metrics: Metrics | undefined

  const stop = (): void => {
    server?.close()
    server?.closeAllConnections()
    server = undefined
  }
  const listen = async ({ port, path }: MetricsSettings): Promise<void> => {
    // Large, and most daemons serve none.
    const { makeMetrics } = await import('./registry.ts')
    metrics ??= makeMetrics()
    if (current?.port !== port || current.path !== path) return
    const next = createServer(
      {
        maxHeaderSize: LIMITS.headerBytes,
        headersTimeout: LIMITS.requestMs,
        requestTimeout: LIMITS.requestMs,
        connectionsCheckingInterval: 1000,
      },
      (request, response) => {
        const asked = request.url?.split('?')[0]
        const known = asked === path && (request.method === 'GET' || request.method === 'HEAD')
        void (known ? answer() : Promise.resolve({ status: 404, text: `metrics are at ${path}\n` })).then(
          ({ status, text }) => {
            const type = status === 200 ? (metrics?.contentType ?? '') : 'text/plain'
            response.writeHead(status, { 'content-type': type }).end(text)
          },
        )
      },
    )
    next.maxConnections = LIMITS.connections
    next.once('error', (error) => {
      log.error('metrics', `cannot serve metrics on port ${port}: ${error.message}`, { port })
      // Tried again with the next look at the configuration.
      if (server === next) {
        server = undefined
        current = undefined
      }
    })
    server = next
    next.listen(port, () => log.info('metrics', `serves metrics on port ${port} at ${path}`, { port, path }))
  }
  const answer = async (): Promise<{ status: number; text: string }> => {
    try {
      return { status: 200, text: (await metrics?.scrape(read())) ?? '' }
    } catch (error) {
      if (!(error instanceof LbError)) throw error
      return { status: 503, text: `${error.message}\n` }
    }
  }
  return {
    configure(settings) {
      const { enabled, port, path } = settings
      if (current && enabled && current.port === port && current.path === path) return
      stop()
      current = enabled ? settings : undefined
      if (enabled) void listen(settings)
    },
    probed: (key, result) => metrics?.probed(key, result),
    [Symbol.dispose]: stop,
  }
}
