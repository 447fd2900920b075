/** How a connection's state follows from its packets. Part of the model; see model.ts. */
import { flagBits } from './packet.ts'

export type ConnState =
  | 'SYN'
  | 'SYN_ACK'
  | 'ESTABLISHED'
  | 'FIN_CLIENT'
  | 'FIN_BACKEND'
  | 'TIME_WAIT'
  | 'RESET'
  | 'UDP_ONEWAY'
  | 'UDP_STREAM'

export type Direction = 'client' | 'backend'
export type TcpEvent = 'rst' | 'synAck' | 'syn' | 'fin' | 'ack' | 'none'

const has = (flags: number, letter: string): boolean => (flags & flagBits(letter)) !== 0

/** What a segment means for the state, where it carries several flags: RST, then SYN, FIN, ACK. */
export function tcpEvent(flags: number): TcpEvent {
  if (has(flags, 'R')) return 'rst'
  if (has(flags, 'S')) return has(flags, 'A') ? 'synAck' : 'syn'
  if (has(flags, 'F')) return 'fin'
  return has(flags, 'A') ? 'ack' : 'none'
}

type Row = Readonly<Partial<Record<`${Direction} ${TcpEvent}`, ConnState>>>

/** Events that are not in a state's row leave it as it is. RST, from whichever side, is in none: always RESET. */
const TCP_STATES: Readonly<Record<Exclude<ConnState, 'UDP_ONEWAY' | 'UDP_STREAM'>, Row>> = {
  SYN: { 'backend synAck': 'SYN_ACK', 'client fin': 'FIN_CLIENT', 'backend fin': 'FIN_BACKEND' },
  SYN_ACK: { 'client ack': 'ESTABLISHED', 'client fin': 'FIN_CLIENT', 'backend fin': 'FIN_BACKEND' },
  ESTABLISHED: { 'client fin': 'FIN_CLIENT', 'backend fin': 'FIN_BACKEND' },
  FIN_CLIENT: { 'backend fin': 'TIME_WAIT' },
  FIN_BACKEND: { 'client fin': 'TIME_WAIT' },
  TIME_WAIT: {},
  RESET: {},
}

export function nextState(state: ConnState, direction: Direction, flags: number): ConnState {
  if (state === 'UDP_STREAM') return state
  if (state === 'UDP_ONEWAY') return direction === 'backend' ? 'UDP_STREAM' : state
  const event = tcpEvent(flags)
  if (event === 'rst') return 'RESET'
  return TCP_STATES[state][`${direction} ${event}`] ?? state
}

/** Whether a segment asks for a connection: SYN without ACK, RST and FIN. */
export function startsTcp(flags: number): boolean {
  return (flags & flagBits('SARF')) === flagBits('S')
}

/** Whether a client that sends a SYN in this state has forgotten the connection and wants another. */
export function isEnding(state: ConnState): boolean {
  return ['FIN_CLIENT', 'FIN_BACKEND', 'TIME_WAIT', 'RESET'].includes(state)
}

/** What a change of state tells of the backend. */
export type News = 'established' | 'refused' | 'reset' | 'ended'

const OPENING: readonly ConnState[] = ['SYN', 'SYN_ACK']
const OVER: readonly ConnState[] = ['TIME_WAIT', 'RESET']

/** Nobody has anything to send any more. */
export function isOver(state: ConnState): boolean {
  return OVER.includes(state)
}

/** Without a RST, whatever follows the answer to a SYN says that the handshake is complete. */
export function newsOf(before: ConnState, after: ConnState, direction: Direction): readonly News[] {
  if (before === after) return []
  const ended: readonly News[] = isOver(after) && !isOver(before) ? ['ended'] : []
  if (after !== 'RESET') {
    return before === 'SYN_ACK' || before === 'UDP_ONEWAY' ? [...ended, 'established'] : ended
  }
  if (direction === 'client') return ended
  if (OPENING.includes(before)) return [...ended, 'refused']
  // A backend that has closed its side may answer what still comes as it likes.
  return before === 'ESTABLISHED' || before === 'FIN_CLIENT' ? [...ended, 'reset'] : ended
}

/** Whether a connection may be evicted for a new one: half-open or closed, never established. */
export function makesRoom(state: ConnState): boolean {
  return state !== 'ESTABLISHED' && state !== 'UDP_STREAM'
}
