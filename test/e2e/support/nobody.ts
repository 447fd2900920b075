import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Lab } from '../../support/netns.ts'
import { root } from '../../support/lab/run.ts'
import { type CliOutcome } from '../../support/lab/lab.ts'

/** Runs lb as user nobody, who has no rights at all, in the lab's folder. */
export async function lbAsNobody(lab: Lab, args: readonly string[], input?: string): Promise<CliOutcome> {
  // Neither the repository nor Node.js needs to be in a place that nobody can reach.
  const place = join(lab.folder, 'nobody')
  const repository = join(place, 'lb')
  const node = join(place, 'node')
  mkdirSync(repository, { recursive: true })
  writeFileSync(node, '')
  chmodSync(lab.folder, 0o755)
  const script = 'mount --bind "$1" "$2"; mount --bind "$3" "$4"; shift 4; exec "$@"'
  const drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all']
  const bound = ['unshare', '--mount', 'sh', '-ec', script, 'sh', root, repository, process.execPath, node]
  const outcome = await lab.lb.run([...bound, ...drop, node, join(repository, 'bin/run.js'), ...args], {
    cwd: lab.folder,
    env: { NODE_ENV: undefined, NODE_OPTIONS: undefined, VITEST: undefined },
    ...(input !== undefined && { input }),
  })
  return { ...outcome, json: () => JSON.parse(outcome.stdout) as unknown }
}
