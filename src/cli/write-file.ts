/** Files that commands write. */
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { LbError } from '../engine/model/errors.ts'

export interface WriteOptions {
  /** Where there is no such file yet. */
  readonly mode?: number
  readonly overwrite: boolean
}

/**
 * Writes a file whole or not at all: what was there stays where that fails.
 * @throws LbError `input`, which names the file
 */
export function writeWhole(path: string, text: string, { mode = 0o666, overwrite }: WriteOptions): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const there = statSync(path, { throwIfNoEntry: false })
    if (there && !overwrite) {
      throw new LbError('input', `${path} is there already; nothing was written`, {
        hint: 'name another file, or add --force',
      })
    }
    // A terminal, a pipe: nothing that could be put in its place.
    if (there && !there.isFile()) {
      writeFileSync(path, text)
      return
    }
    writeFileSync(temporary, text, { flag: 'wx', mode: there ? there.mode & 0o777 : mode })
    // What a link leads to is replaced, and not the link.
    renameSync(temporary, there ? realpathSync(path) : path)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw cause instanceof LbError
      ? cause
      : new LbError('input', `cannot write ${path}: ${why(cause)}`, { cause })
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
  EISDIR: 'it is a folder',
  EACCES: 'no right to write there',
  EPERM: 'no right to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on its disk',
  EDQUOT: 'no space left in the quota',
}

function why(cause: unknown): string {
  const { code = '', message = '' } = cause as { code?: string; message?: string }
  return WORDS[code] ?? (code || message)
}
