/** The document of `lb doctor --json`. */
import type { Finding } from '../engine/model/finding.ts'

export interface DoctorDocument {
  readonly formatVersion: 1
  /** No finding is an error. */
  readonly ok: boolean
  readonly findings: readonly Finding[]
}

export function doctorJson(findings: readonly Finding[]): DoctorDocument {
  return { formatVersion: 1, ok: findings.every(({ status }) => status !== 'error'), findings }
}
