/** Why a host has no address, from the answers for both families. */
import type { Answer, ResolutionFailure } from '../model/resolution.ts'

/** What may be different the next time goes before what is so. */
const ORDER: readonly ResolutionFailure[] = ['timeout', 'server', 'not-found']

/** In a few words: `no such name`. */
export function explain(answers: readonly Answer[]): string {
  for (const failure of ORDER) {
    for (const answer of answers) if (!answer.ok && answer.failure === failure) return answer.error
  }
  const isEmpty = answers.every((answer) => !answer.ok || answer.addresses.length === 0)
  return isEmpty ? 'the name has no address' : 'the name has no address that can be used'
}
