import { binding } from './binding.ts'

export interface BtfField {
  readonly name: string
  /** Bytes from the start of the struct. */
  readonly offset: number
  /** Bytes; of the whole array for arrays. */
  readonly size: number
  readonly kind: 'int' | 'array' | 'struct' | 'union' | 'enum' | 'pointer' | 'other'
  /** The type's name as the source has it (`__be32`, `unsigned int`, `lb_addr`), of one element for arrays. */
  readonly typeName: string
  readonly signed: boolean
  /** For arrays: number of elements and size of one. */
  readonly length?: number
  readonly elementSize?: number
}

export interface BtfStruct {
  readonly name: string
  readonly size: number
  /** In order of declaration; members of a struct or union without a name count as the outer one's. */
  readonly fields: readonly BtfField[]
}

export interface BtfEnum {
  readonly name: string
  readonly values: Readonly<Record<string, number>>
}

/** Every named struct and enum in an object file's BTF; those named by a typedef alone have its name. */
export function readBtf(objectPath: string): { structs: readonly BtfStruct[]; enums: readonly BtfEnum[] } {
  return binding.readBtf(objectPath)
}
