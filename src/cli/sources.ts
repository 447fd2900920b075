/** Configuration files: which they are, and their text. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EXTENSIONS, formatOf } from '../engine/config/formats.ts'
import type { Source } from '../engine/config/source.ts'
import { LbError } from '../engine/model/errors.ts'
import { readStdin } from './stdin.ts'

const DEFAULT_FILE = 'lb.yaml'
const KNOWN = Object.keys(EXTENSIONS)
  .map((extension) => `.${extension}`)
  .join(', ')

/** Paths as given, else LB_CONFIG, else lb.yaml in the working folder. */
export function configPaths(given: readonly string[] | undefined): readonly string[] {
  if (given && given.length > 0) return given
  const fromEnvironment = process.env['LB_CONFIG']
  return [fromEnvironment !== undefined && fromEnvironment !== '' ? fromEnvironment : DEFAULT_FILE]
}

/** Reads every file that the paths name; a folder stands for the files in it that have a known extension. */
export function readSources(paths: readonly string[]): Source[] {
  return paths.flatMap((path) => {
    if (path === '-') return [{ file: '<stdin>', text: attempt('stdin', readStdin), format: 'yaml' as const }]
    return filesOf(path).map((file) => readSource(file))
  })
}

function filesOf(path: string): string[] {
  const info = attempt(path, () => statSync(path))
  if (!info.isDirectory()) return [path]
  const files = attempt(path, () => readdirSync(path))
    .filter((name) => !name.startsWith('.') && formatOf(name) !== undefined)
    .sort()
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
  if (files.length > 0) return files
  throw new LbError('config', `folder ${path} has no configuration files`, {
    hint: `files are read by extension: ${KNOWN}`,
  })
}

function readSource(file: string): Source {
  const format = formatOf(file)
  if (!format) {
    throw new LbError('config', `${file}: cannot tell its format by its name`, {
      hint: `give it one of the extensions ${KNOWN}`,
    })
  }
  return { file, text: attempt(file, () => readFileSync(file, 'utf8')), format }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no right to read it',
  EISDIR: 'it is a folder',
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? ''
    const hint = path === DEFAULT_FILE ? { hint: '`lb init` writes one; -c names another' } : {}
    throw new LbError('config', `cannot read ${path}: ${REASONS[code] ?? code}`, { cause, ...hint })
  }
}
