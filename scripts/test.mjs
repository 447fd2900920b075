// @ts-check
/** Prepares the clone and runs the tests. Arguments go to vitest: `npm test -- test/unit/plan`. */
import { ensureBpffs } from './setup/bpffs.mjs'
import { script, SetupError, statusOf } from './setup/exec.mjs'

await script(async () => {
  const args = process.argv.slice(2)
  const ready = await statusOf(process.execPath, ['scripts/setup.mjs', '--test'])
  if (ready !== 0) return ready
  if (process.getuid?.() === 0) await ensureBpffs()
  else if (args.length === 0) {
    throw new SetupError(
      'Most tests load BPF programs and make network namespaces, and need root:\n\n' +
        '  sudo npm test\n\nTests of plain functions do not: npm test -- --project unit',
    )
  }
  return statusOf(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args])
})
