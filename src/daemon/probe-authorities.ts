/** Certificate authorities, read once for as long as their file stays the same. */
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'

/** Where distributions keep the authorities of the system: Debian, Fedora, SUSE, Alpine. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

export interface Authorities {
  /** @throws when the file cannot be read or is not PEM. */
  contextOf(caFile: string | null): Promise<SecureContext>
}

export function createAuthorities(): Authorities {
  const contexts = new Map<string, { readonly stamp: string; readonly context: SecureContext }>()
  let bundled: SecureContext | undefined

  const fromFile = async (file: string): Promise<SecureContext> => {
    const { ino, size, mtimeMs } = await stat(file)
    const stamp = `${ino} ${size} ${mtimeMs}`
    const known = contexts.get(file)
    if (known?.stamp === stamp) return known.context
    const ca = await readFile(file, 'latin1')
    if (!ca.includes('-----BEGIN')) throw new Error(`${file} holds no certificate in PEM form`)
    const context = createSecureContext({ ca })
    contexts.set(file, { stamp, context })
    return context
  }

  return {
    contextOf: async (caFile) => {
      if (caFile !== null) return fromFile(caFile)
      for (const file of SYSTEM_FILES) {
        try {
          return await fromFile(file)
        } catch {
          // Not this distribution's.
        }
      }
      return (bundled ??= createSecureContext())
    },
  }
}
