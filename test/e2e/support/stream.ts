import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type ChildProcess } from 'node:child_process'
import { type Host } from '../../support/lab/host.ts'
import { end } from '../../support/lab/run.ts'
import { type Lab } from '../../support/netns.ts'
import { until } from './until.ts'

/** What iperf3 reports at the end, as far as we ask. */
export interface StreamReport {
  readonly error?: string
  readonly intervals: readonly { readonly sum: Span }[]
  readonly end: { readonly sum_sent: Span; readonly sum_received: Span }
}

interface Span {
  readonly seconds: number
  readonly bytes: number
}

export interface Stream {
  /** Has the client send to the end, and say goodbye; gives what both sides report. */
  stop(): Promise<{ readonly client: StreamReport; readonly server: StreamReport }>
}

/** Starts a server on a machine, and a client of the service address, which goes on sending until stopped. */
export async function startStream(lab: Lab, server: Host, address: string, port: number): Promise<Stream> {
  const common = ['iperf3', '--json', '--interval', '0.5', '--port', String(port)]
  const serving = server.spawn([...common, '--server', '--one-off'])
  await until('the server listens', () => server.exec(['ss', '-Htln', `sport = :${port}`]).then(Boolean))
  // What it sends comes through a pipe: where that ends, the stream ends, however long it took.
  const pipe = join(lab.folder, 'stream')
  await lab.client.exec(['mkfifo', pipe])
  const feeding = lab.client.spawn(['sh', '-c', 'exec cat /dev/zero > "$0"', pipe])
  const source = ['--client', address, '--time', '0', '--file', pipe]
  const pace = ['--bitrate', '50M']
  const sending = lab.client.spawn([...common, ...source, ...pace])
  const reports = Promise.all([reportOf(sending), reportOf(serving)])
  // A test that fails before it asks ends both, and what they say then is no report.
  reports.catch(() => undefined)
  return {
    async stop() {
      await end(feeding)
      const [ofClient, ofServer] = await reports
      return { client: ofClient, server: ofServer }
    },
  }
}

async function reportOf(child: ChildProcess): Promise<StreamReport> {
  const [report] = await Promise.all([text(child.stdout!), once(child, 'exit')])
  return JSON.parse(report) as StreamReport
}
