/** Keys of maps. */

export const ZERO_KEY = new Uint8Array(4)
export const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)
