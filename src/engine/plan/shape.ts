/**
 * Reading JSON that someone may have edited: each shape returns the value in its type or says what is
 * wrong, and where. Unknown keys are refused: they would be silently without effect.
 */
import { LbError } from '../model/errors.ts'
import type { Json } from '../model/resource.ts'

export type Shape<T> = (value: unknown, at: string) => T

/** Thrown by shapes, and caught by `readShape`. */
class Mismatch extends Error {}

/** @throws LbError `input`: "`what`: drift[0].where must be text, but is 5". */
export function readShape<T>(shape: Shape<T>, value: unknown, what: string, hint: string): T {
  try {
    return shape(value, '')
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    throw new LbError('input', `${what}: ${error.message}`, { hint, cause: error })
  }
}

/** Parsed JSON. @throws LbError `input` where the text is not JSON, or not all of it. */
export function readJson(text: string, what: string, hint: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    const state = text.trim() === '' ? 'is empty' : 'is not JSON, or only a part of it'
    throw new LbError('input', `${what} ${state}`, { hint, cause })
  }
}

export function mismatch(at: string, expected: string, value: unknown): never {
  const found = value === undefined ? 'missing' : JSON.stringify(value)
  const shown = found.length > 60 ? `${found.slice(0, 60)}…` : found
  throw new Mismatch(`${at === '' ? 'it' : at} must be ${expected}, but is ${shown}`)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const text: Shape<string> = (value, at) =>
  typeof value === 'string' ? value : mismatch(at, 'text', value)

export const flag: Shape<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : mismatch(at, 'true or false', value)

/** Of a member that is `true` or absent. */
export const yes: Shape<true> = (value, at) => (value === true ? value : mismatch(at, 'true', value))

/** Anything that JSON can hold. */
export const json: Shape<Json> = (value, at) =>
  value === undefined ? mismatch(at, 'a value', value) : (value as Json)

export function matching(pattern: RegExp, expected: string): Shape<string> {
  return (value, at) =>
    typeof value === 'string' && pattern.test(value) ? value : mismatch(at, expected, value)
}

export function whole(least: number, most: number): Shape<number> {
  return (value, at) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? value
      : mismatch(at, `a whole number from ${least} to ${most}`, value)
}

export function oneOf<const T extends string | number>(...choices: readonly T[]): Shape<T> {
  return (value, at) =>
    choices.find((choice) => choice === value) ??
    mismatch(at, choices.map((choice) => JSON.stringify(choice)).join(' or '), value)
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, at) => (value === null ? null : shape(value, at))
}

/** Of a member that may be absent. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, at) => (value === undefined ? undefined : shape(value, at))
}

/** Of a member that documents of older versions of lb do not have. */
export function otherwise<T>(usual: T, shape: Shape<T>): Shape<T> {
  return (value, at) => (value === undefined ? usual : shape(value, at))
}

export const nothing: Shape<null> = (value, at) => (value === null ? null : mismatch(at, 'null', value))

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, at) =>
    Array.isArray(value) ? value.map((item, i) => shape(item, `${at}[${i}]`)) : mismatch(at, 'a list', value)
}

export function mapOf<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, at) =>
    isObject(value)
      ? Object.fromEntries(
          Object.entries(value).map(([key, item]) => [key, shape(item, `${at}[${JSON.stringify(key)}]`)]),
        )
      : mismatch(at, 'an object', value)
}

/** All of these keys but for optional ones, and no others. */
export function record<T extends object>(fields: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const shapes = Object.entries<Shape<unknown>>(fields)
  return (value, at) => {
    if (!isObject(value)) return mismatch(at, 'an object', value)
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key))
    if (unknown !== undefined) mismatch(member(at, unknown), 'absent (no such key is known)', value[unknown])
    const found: Record<string, unknown> = {}
    for (const [key, shape] of shapes) {
      const read = shape(Object.hasOwn(value, key) ? value[key] : undefined, member(at, key))
      if (read !== undefined) found[key] = read
    }
    return found as T
  }
}

function member(at: string, key: string): string {
  const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : JSON.stringify(key)
  return at === '' ? name : `${at}.${name}`
}
