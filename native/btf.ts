import { binding } from './binding.ts'
import type { BtfEnum, BtfStruct } from './types.ts'

/** Every named struct and enum in an object file's BTF; those named by a typedef alone have its name. */
export function readBtf(objectPath: string): { structs: readonly BtfStruct[]; enums: readonly BtfEnum[] } {
  return binding.readBtf(objectPath)
}
