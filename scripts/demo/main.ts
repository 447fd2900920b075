import { constants } from 'node:os'
import { type Lab } from '../../test/support/netns.ts'
import { explainPlayground, makePlayground, removePlayground } from './playground.ts'
import { say } from './screen.ts'
import { endStory, tell } from './story.ts'

const usage = `npm start                what lb does, on a network of its own that is removed afterwards
npm start -- --keep      the same, but the network stays, to play with
npm start -- --remove    removes a network that was kept`

async function main(args: readonly string[]): Promise<number> {
  const [mode = 'demo', ...rest] = args
  if (rest.length > 0 || !['demo', '--keep', '--remove'].includes(mode)) {
    console.error(usage)
    return mode === '--help' ? 0 : 3
  }
  await removePlayground()
  if (mode === '--remove') {
    say('The playground is removed.')
    return 0
  }
  const started = performance.now()
  const stopped = signalled()
  try {
    const ended = await Promise.race([stopped, demo(mode === '--keep')])
    if (ended !== 0) return ended
  } catch (error) {
    await removePlayground()
    throw error
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  if (mode === 'demo') say(`\nThe network, its processes and files are removed. All of it took ${seconds} s.`)
  return 0
}

async function demo(keep: boolean): Promise<number> {
  const lab: Lab = await makePlayground()
  await tell(lab)
  if (keep) {
    await lab.keep()
    explainPlayground(lab)
  } else {
    await endStory(lab)
    await lab[Symbol.asyncDispose]()
  }
  return 0
}

/** Resolves to an exit status when we are asked to stop, with everything removed. */
function signalled(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        console.error('\nStopping, and removing the network')
        void removePlayground().then(() => resolve(128 + constants.signals[signal]))
      })
    }
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
// After a signal, what the demo was waiting for may never come.
process.exit()
