// @ts-check
/** Prepares the clone and shows what lb does. Arguments go to the demo: `npm start -- --keep`. */
import { ensureBpffs } from './setup/bpffs.mjs'
import { script, SetupError, statusOf } from './setup/exec.mjs'

await script(async () => {
  const ready = await statusOf(process.execPath, ['scripts/setup.mjs'])
  if (ready !== 0) return ready
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      'Everything is built. The demo makes network namespaces and needs root:\n\n  sudo npm start',
    )
  }
  await ensureBpffs()
  return statusOf(process.execPath, ['scripts/demo.mjs', ...process.argv.slice(2)])
})
