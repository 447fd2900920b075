import { binding, type Handle } from './binding.ts'
import { BpfMap } from './map.ts'
import { BpfProgram } from './program.ts'

/** What becomes of an object's maps when it is loaded. Maps not named are created as the object says. */
export interface LoadOptions {
  /** Use these instead of creating them. EINVAL where type, key size or value size differ. */
  readonly reuse?: Readonly<Record<string, BpfMap>>
  readonly maxEntries?: Readonly<Record<string, number>>
  /** Initial contents of `.rodata` variables, by name; sizes must fit. */
  readonly constants?: Readonly<Record<string, Uint8Array>>
  /** Load only these programs. */
  readonly programs?: readonly string[]
}

/** A loaded object file. Maps and programs taken out of it live on after it is closed. */
export class BpfObject implements Disposable {
  /** For the addon's own use. */
  readonly handle: Handle

  constructor(handle: Handle) {
    this.handle = handle
  }

  static load(path: string, options: LoadOptions = {}): BpfObject {
    const object = new BpfObject(binding.objectOpen(path))
    try {
      prepare(object.handle, options)
      binding.objectLoad(object.handle)
    } catch (error) {
      object.close()
      throw error
    }
    return object
  }

  /** Those created or reused, with libbpf's own (`.rodata`, `.bss`) under its names for them. */
  get mapNames(): readonly string[] {
    return binding.objectMapNames(this.handle)
  }

  /** Those loaded. */
  get programNames(): readonly string[] {
    return binding.objectProgramNames(this.handle)
  }

  /** A descriptor of its own for the caller to close. */
  map(name: string): BpfMap {
    return new BpfMap(binding.objectMap(this.handle, name))
  }

  /** A descriptor of its own for the caller to close. */
  program(name: string): BpfProgram {
    return new BpfProgram(binding.objectProgram(this.handle, name))
  }

  close(): void {
    binding.handleClose(this.handle)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function prepare(object: Handle, options: LoadOptions): void {
  for (const [name, map] of Object.entries(options.reuse ?? {})) binding.objectReuse(object, name, map.handle)
  for (const [name, count] of Object.entries(options.maxEntries ?? {})) {
    binding.objectMaxEntries(object, name, count)
  }
  for (const [name, value] of Object.entries(options.constants ?? {})) {
    binding.objectConstant(object, name, value)
  }
  if (options.programs) binding.objectPrograms(object, options.programs)
}
