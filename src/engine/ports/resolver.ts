/** The addresses of names. Implemented by src/daemon/resolver.ts. */
import type { Answer, NameQuery } from '../model/resolution.ts'

export interface ResolverPort {
  /** Never rejects, and settles within a bounded time whatever the servers do; sooner when `signal` aborts. */
  resolve(query: NameQuery, signal?: AbortSignal): Promise<Answer>
}
