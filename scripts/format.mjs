// @ts-check
/** Lays out every file as `npm run check` wants it. */
import { exec, gitFiles, script } from './setup/exec.mjs'

await script(async () => {
  await exec('node_modules/.bin/prettier', ['--write', '--log-level=warn', '.'])
  await exec('clang-format', ['-i', ...gitFiles(['bpf', 'native', 'test'], /[.](c|cc|h)$/)])
})
