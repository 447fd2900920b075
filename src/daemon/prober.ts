/** Probes over the network of this host. */
import type { ProbeRequest } from '../engine/model/probe.ts'
import type { DialPort } from '../engine/ports/dial.ts'
import type { ProbePort } from '../engine/ports/probe.ts'
import { attempt, inconclusive, type Settle, SUCCESS } from './probe-attempt.ts'
import { type Authorities, createAuthorities } from './probe-authorities.ts'
import { outcomeOf } from './probe-errors.ts'
import { askHttp } from './probe-http.ts'

export function createProber(dialer: DialPort): ProbePort {
  const authorities = createAuthorities()
  return {
    probe: (request, signal) =>
      attempt(request.check.timeoutMs, signal, (settle) => {
        const { type } = request.check
        switch (type) {
          case 'tcp':
            return askTcp(dialer, request, settle)
          case 'http':
          case 'https':
            return ask(request, authorities, settle)
          case 'none':
            throw new TypeError('a check of type none is not made')
        }
      }),
  }
}

function askTcp({ dial }: DialPort, { ip, port }: ProbeRequest, settle: Settle): () => void {
  return dial(ip, port, (code) => {
    settle(code === undefined ? SUCCESS : outcomeOf({ code, syscall: 'connect', message: code }, ip))
  })
}

function ask({ ip, port, check }: ProbeRequest, authorities: Authorities, settle: Settle): () => void {
  const { http, tls } = check
  if (!http) throw new TypeError('an HTTP check says what to ask for')
  if (check.type === 'http') return askHttp({ ip, port, http, tls: null }, settle)
  if (!tls) throw new TypeError('an HTTPS check says how to use TLS')

  let end: (() => void) | undefined
  let isEnded = false
  const go = (context: Parameters<typeof askHttp>[0]['tls']): void => {
    if (!isEnded) end = askHttp({ ip, port, http, tls: context }, settle)
  }
  if (tls.insecureSkipVerify) go({ check: tls, context: undefined })
  else {
    authorities
      .contextOf(tls.caFile)
      .then((context) => go({ check: tls, context }))
      .catch((error: unknown) => settle(inconclusive((error as Error).message)))
  }
  return () => {
    isEnded = true
    end?.()
  }
}
