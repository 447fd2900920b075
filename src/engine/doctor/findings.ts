/** Findings in short. */
import type { Finding } from '../model/finding.ts'

export function ok(id: string, title: string, detail = ''): Finding {
  return { id, status: 'ok', title, detail }
}

export function warning(id: string, title: string, detail: string, fix?: string): Finding {
  return { id, status: 'warning', title, detail, ...(fix !== undefined && { fix }) }
}

export function failure(id: string, title: string, detail: string, fix?: string): Finding {
  return { id, status: 'error', title, detail, ...(fix !== undefined && { fix }) }
}

/** A word for the shell. Interface names may hold all but spaces, slashes and colons. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_.@%+=:,/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** `sysctl` takes a slash for a dot within a name. */
export function sysctlFix(
  family: 'ipv4' | 'ipv6',
  interfaceName: string,
  key: string,
  value: number,
): string {
  const name = interfaceName.replaceAll('.', '/')
  return `sysctl -w ${shellWord(`net.${family}.conf.${name}.${key}=${value}`)}`
}
