/**
 * Reading and writing rows of C structs in flat buffers, by the generated layouts. BPF maps hold
 * structs in host byte order and lb runs on little-endian hosts (x86-64, arm64); `*_be` fields are in
 * network order, which the suffix of their name selects.
 */
import { structs } from './layout.generated.ts'

export type StructName = keyof typeof structs
export type FieldName<S extends StructName> = keyof (typeof structs)[S]['fields'] & string

interface Field {
  readonly offset: number
  readonly size: number
  readonly little: boolean
}

export function structSize(name: StructName): number {
  return structs[name].size
}

/** Typed access to rows of one struct in one buffer. */
export interface Rows<S extends StructName> {
  readonly count: number
  readonly bytes: Uint8Array
  get(row: number, field: FieldName<S>): number
  set(row: number, field: FieldName<S>, value: number): void
  /** A view of a field that is an array or a struct. */
  slice(row: number, field: FieldName<S>): Uint8Array
  /** Writes a field that is an array or a struct. */
  put(row: number, field: FieldName<S>, value: Uint8Array): void
  /** A NUL-terminated string in a char array; bytes that are no UTF-8 become U+FFFD. */
  text(row: number, field: FieldName<S>): string
  setText(row: number, field: FieldName<S>, value: string): void
}

/** A byte order mark is part of a name like any other character. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Rows over an existing buffer, whose length must be a multiple of the struct's size. */
export function rowsOver<S extends StructName>(name: S, bytes: Uint8Array): Rows<S> {
  const size = structSize(name)
  const fields = fieldsOf(name)
  if (bytes.length % size !== 0) {
    throw new RangeError(`${bytes.length} bytes are no whole number of ${name} (${size} bytes each)`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fieldOf = (key: string): Field => {
    const field = fields.get(key)
    if (!field) throw new RangeError(`${name} has no field ${key}`)
    return field
  }
  return {
    count: bytes.length / size,
    bytes,
    get(row, key) {
      const { offset, size: width, little } = fieldOf(key)
      return readInt(view, row * size + offset, width, little)
    },
    set(row, key, value) {
      const { offset, size: width, little } = fieldOf(key)
      writeInt(view, row * size + offset, width, value, little)
    },
    slice(row, key) {
      const { offset, size: width } = fieldOf(key)
      return bytes.subarray(row * size + offset, row * size + offset + width)
    },
    put(row, key, value) {
      const { offset, size: width } = fieldOf(key)
      if (value.length !== width) throw new RangeError(`${key} takes ${width} bytes, not ${value.length}`)
      bytes.set(value, row * size + offset)
    },
    text(row, key) {
      const raw = this.slice(row, key)
      const end = raw.indexOf(0)
      return decoder.decode(end < 0 ? raw : raw.subarray(0, end))
    },
    setText(row, key, value) {
      const raw = this.slice(row, key)
      const text = encoder.encode(value)
      if (text.length >= raw.length) throw new RangeError(`${key} holds ${raw.length - 1} bytes: '${value}'`)
      raw.fill(0)
      raw.set(text)
    },
  }
}

const fieldsByStruct = new Map<StructName, ReadonlyMap<string, Field>>()

function fieldsOf(name: StructName): ReadonlyMap<string, Field> {
  const known = fieldsByStruct.get(name)
  if (known) return known
  const fields: Record<string, Omit<Field, 'little'>> = structs[name].fields
  const made = new Map(
    Object.entries(fields).map(([key, field]) => [key, { ...field, little: !key.endsWith('_be') }] as const),
  )
  fieldsByStruct.set(name, made)
  return made
}

/** `count` zeroed rows. */
export function makeRows<S extends StructName>(name: S, count: number): Rows<S> {
  return rowsOver(name, new Uint8Array(structSize(name) * count))
}

function readInt(view: DataView, at: number, width: number, little: boolean): number {
  if (width === 1) return view.getUint8(at)
  if (width === 2) return view.getUint16(at, little)
  if (width === 4) return view.getUint32(at, little)
  return Number(view.getBigUint64(at, little))
}

function writeInt(view: DataView, at: number, width: number, value: number, little: boolean): void {
  if (width === 1) view.setUint8(at, value)
  else if (width === 2) view.setUint16(at, value, little)
  else if (width === 4) view.setUint32(at, value, little)
  else view.setBigUint64(at, BigInt(value), little)
}
