/** Progress of an apply, a line for each step. */
import { escapeText } from './text.ts'

/** `stage    generation 8: 40 entries, 5 tables unchanged`. */
export function renderStep(step: string, detail: string): string {
  return `${escapeText(step).padEnd(7)}  ${escapeText(detail)}`
}
