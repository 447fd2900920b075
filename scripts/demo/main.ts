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
  const story = demo(mode === '--keep')
  const signal = await Promise.race([signalled(), story.then(nothing, nothing)])
  if (signal !== undefined) {
    console.error('\nStopping, and removing the network')
    // What the story waits for ends with the network; but it may be just making one.
    await removePlayground().catch(nothing)
    await story.catch(nothing)
    await removePlayground()
    return 128 + constants.signals[signal]
  }
  try {
    await story
  } catch (error) {
    await removePlayground()
    throw error
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  if (mode === 'demo') say(`\nThe network, its processes and files are removed. All of it took ${seconds} s.`)
  return 0
}

const nothing = () => undefined

async function demo(keep: boolean): Promise<void> {
  const lab: Lab = await makePlayground()
  await tell(lab)
  if (keep) {
    await lab.keep()
    explainPlayground(lab)
  } else {
    await endStory(lab)
    await lab[Symbol.asyncDispose]()
  }
}

/** The signal that asks us to stop, if one ever does. Further ones are ignored while we clean up. */
function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve)
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
