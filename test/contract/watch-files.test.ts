import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { watchFiles } from '../../src/daemon/files.ts'
import type { Log } from '../../src/daemon/log.ts'
import { temporaryFolder } from '../support/native.ts'

/** Each of the two ways of noticing a change, alone. */

const silent = (): void => undefined
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, flush: silent }

let open: Disposable | undefined
afterEach(() => open?.[Symbol.dispose]())

/** Resolves with the next touch. */
function watching(paths: readonly string[], pollMs: number) {
  let heard = 0
  let taken = 0
  let wake: () => void = silent
  const onTouch = (): void => {
    heard++
    wake()
  }
  open = watchFiles({ paths, pollMs, log, onTouch })
  return async (what: string): Promise<void> => {
    const late = setTimeout(() => wake(), 5000)
    while (heard === taken && performance.now() < started + 60_000) {
      const before = heard
      await new Promise<void>((resolve) => (wake = resolve))
      if (heard === before) throw new Error(`not noticed: ${what}`)
    }
    clearTimeout(late)
    // One change may make several events.
    await new Promise((resolve) => setTimeout(resolve, 50))
    taken = heard
  }
}
const started = performance.now()

const NEVER = 2 ** 30

test.for([
  ['by watches', NEVER],
  ['by looking', 30],
] as const)('all ways in which a file changes are noticed %s', async ([, pollMs]) => {
  const folder = temporaryFolder()
  const file = join(folder, 'deep', 'conf', 'lb.yaml')
  const noticed = watching([file], pollMs)
  const step = async (what: string, change: () => void) => {
    change()
    await noticed(what)
  }
  await step('its folders and it come', () => {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, '1')
  })
  await step('written', () => writeFileSync(file, '22'))
  for (const round of [3, 4]) {
    await step('renamed over', () => {
      writeFileSync(`${file}.new`, String(round).repeat(round))
      renameSync(`${file}.new`, file)
    })
  }
  await step('removed', () => rmSync(file))
  await step('back again', () => writeFileSync(file, '55555'))
  await step('its folder is another', () => {
    renameSync(dirname(file), join(folder, 'old'))
    mkdirSync(dirname(file))
    writeFileSync(file, '666666')
  })
  await step('written in the new folder', () => writeFileSync(file, '7777777'))
})

test.for([
  ['by watches', NEVER],
  ['by looking', 30],
] as const)('links are followed wherever they are, %s', async ([, pollMs]) => {
  const folder = temporaryFolder()
  const [store, mount, link] = ['store', 'mount', 'link.yaml'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(mount)
  const publish = (version: number) => {
    mkdirSync(join(store, String(version)), { recursive: true })
    writeFileSync(join(store, String(version), 'lb.yaml'), 'x'.repeat(version))
    symlinkSync(join(store, String(version)), join(mount, '..tmp'))
    renameSync(join(mount, '..tmp'), join(mount, '..data'))
  }
  publish(1)
  symlinkSync('..data/lb.yaml', join(mount, 'lb.yaml'))
  symlinkSync(join(mount, 'lb.yaml'), link)
  const noticed = watching([link], pollMs)
  for (const version of [2, 3, 4]) {
    publish(version)
    await noticed(`swap ${version}`)
  }
  writeFileSync(join(store, '4', 'lb.yaml'), 'written in place')
  await noticed('written behind three links')
})

test('files beside it are nothing to it', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'lb.yaml')
  writeFileSync(file, '1')
  let heard = 0
  open = watchFiles({ paths: [file], pollMs: NEVER, log, onTouch: () => heard++ })
  for (let i = 0; i < 20; i++) writeFileSync(join(folder, `other-${i}`), 'x')
  const noticed = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (heard === 0) return
      clearInterval(timer)
      resolve()
    }, 5)
  })
  writeFileSync(file, '2')
  await noticed
  expect(heard).toBeLessThan(5)
})
