/**
 * A generation's manifest: which deployment an apply compiled into its tables, when, by whom, from
 * what. It lies in a frozen map beside them, so drift can be told apart from intended change. Chunk 0
 * starts with a header; JSON, deflated, follows and runs on through the other chunks.
 */
import { MANIFEST_CHUNK } from '../abi/tables.ts'
import { LbError } from '../model/errors.ts'
import type { Provenance } from '../model/live.ts'
import type { Deployment } from '../model/snapshot.ts'
import type { HostPort } from '../ports/host.ts'

/** `lbm1`: says what it is, and in which version. */
const MAGIC = 0x316d626c
const HEADER_SIZE = 16

export interface Manifest {
  readonly provenance: Provenance
  readonly deployment: Deployment
  /** Rows of backend_stats by identity, as compiled in. */
  readonly counters: Readonly<Record<string, number>>
}

export interface ManifestHeader {
  readonly number: number
  readonly slot: number
  readonly length: number
}

/** Whole chunks, zero-padded. */
export function encodeManifest(manifest: Manifest, host: HostPort): Uint8Array {
  const body = host.deflate(new TextEncoder().encode(JSON.stringify(manifest)))
  const bytes = new Uint8Array(Math.ceil((HEADER_SIZE + body.length) / MANIFEST_CHUNK) * MANIFEST_CHUNK)
  const view = new DataView(bytes.buffer)
  const { number, slot } = manifest.provenance
  for (const [i, value] of [MAGIC, number, slot, body.length].entries()) view.setUint32(4 * i, value, true)
  bytes.set(body, HEADER_SIZE)
  return bytes
}

/** `undefined` for a chunk that no manifest of this version starts with. */
export function readHeader(chunk: Uint8Array): ManifestHeader | undefined {
  if (chunk.length < HEADER_SIZE) return undefined
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (view.getUint32(0, true) !== MAGIC) return undefined
  return {
    number: view.getUint32(4, true),
    slot: view.getUint32(8, true),
    length: view.getUint32(12, true),
  }
}

/** @throws LbError `state` where the bytes are no manifest. */
export function decodeManifest(bytes: Uint8Array, host: HostPort): Manifest {
  const header = readHeader(bytes)
  if (!header) throw new LbError('state', 'the manifest has no header that this version of lb writes')
  try {
    const json = host.inflate(bytes.subarray(HEADER_SIZE, HEADER_SIZE + header.length))
    return JSON.parse(new TextDecoder().decode(json)) as Manifest
  } catch (cause) {
    throw new LbError('state', 'the manifest is damaged', { cause })
  }
}
