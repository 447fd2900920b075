import { readdirSync, readFileSync } from 'node:fs'
import { type Format, formatOf } from '../../../src/engine/config/formats.ts'

export interface ExampleFile {
  readonly file: string
  readonly text: string
  readonly format: Format
}

const FOLDER = new URL('../../../examples/', import.meta.url)

/** The files in examples/, of one format or all. */
export function exampleFiles(only?: Format): ExampleFile[] {
  return readdirSync(FOLDER)
    .sort()
    .flatMap((file) => {
      const format = formatOf(file)
      if (format === undefined || (only !== undefined && format !== only)) return []
      return [{ file, text: readFileSync(new URL(file, FOLDER), 'utf8'), format }]
    })
}
