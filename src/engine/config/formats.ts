/** The syntaxes that configuration is written in. */
export type Format = 'yaml' | 'json' | 'edn'

/** File name extensions, without the dot, of each format. */
export const EXTENSIONS: Readonly<Record<string, Format>> = {
  yaml: 'yaml',
  yml: 'yaml',
  json: 'json',
  edn: 'edn',
}

/** The format of a file by its extension; `undefined` where the extension is of none. */
export function formatOf(file: string): Format | undefined {
  const extension = /\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase()
  return extension !== undefined && Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension] : undefined
}
