import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface KeyPair {
  readonly key: string
  readonly cert: string
}

/** An authority of one's own, in a folder that goes away with it. */
export interface Authority extends Disposable {
  /** PEM file with its certificate. */
  readonly caFile: string
  readonly folder: string
  /** A certificate for these alternative names; with negative days, one that has expired. */
  issue(names: readonly string[], days?: number): KeyPair
  /** The same, signed by nobody else. */
  selfSigned(names: readonly string[]): KeyPair
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'lb-certificates-'))
  const at = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  }
  const read = (name: string): KeyPair => ({
    key: readFileSync(at(`${name}.key`), 'utf8'),
    cert: readFileSync(at(`${name}.pem`), 'utf8'),
  })
  let count = 0

  openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test', '-days', '2')
  return {
    caFile: at('ca.pem'),
    folder,
    issue: (names, days = 2) => {
      const name = `issued-${++count}`
      const subject = ['-subj', '/CN=server', '-addext', `subjectAltName=${names.join(',')}`]
      openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, ...subject)
      const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-copy_extensions', 'copy']
      openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-days', `${days}`, '-out', `${name}.pem`)
      return read(name)
    },
    selfSigned: (names) => {
      const name = `self-signed-${++count}`
      const subject = ['-subj', '/CN=server', '-addext', `subjectAltName=${names.join(',')}`]
      openssl('req', '-x509', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.pem`, ...subject)
      return read(name)
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
