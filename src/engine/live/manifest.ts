/**
 * A generation's manifest: which deployment an apply compiled into its tables, when, by whom, from
 * what. It lies in a frozen map beside them, so drift can be told apart from intended change. Chunk 0
 * starts with a header; two deflated JSON texts follow and run on through the other chunks: a short one that
 * listings read, and the deployment.
 */
import { MANIFEST_CHUNK } from '../abi/tables.ts'
import { LbError } from '../model/errors.ts'
import type { Provenance } from '../model/live.ts'
import { DEFAULT_DAEMON_SETTINGS } from '../model/policy.ts'
import type { Attachment, Deployment } from '../model/snapshot.ts'
import type { HostPort } from '../ports/host.ts'
import type { TableDigests } from './digests.ts'

/** `lbm1`: says what it is, and in which version. */
const MAGIC = 0x316d626c
const HEADER_SIZE = 24

export interface ManifestHead {
  readonly provenance: Provenance
  readonly attachments: readonly Attachment[]
}

export interface Manifest {
  readonly provenance: Provenance
  readonly deployment: Deployment
  /** Rows of backend_stats, as compiled in: one for each row of the table of backends. */
  readonly counters: readonly number[]
  /** Of the tables as they were compiled. */
  readonly digests: TableDigests
}

export interface ManifestHeader {
  readonly number: number
  readonly slot: number
  /** The generation that served before; 0: none. */
  readonly replaced: number
  readonly headLength: number
  readonly bodyLength: number
}

/** Whole chunks, zero-padded. */
export function encodeManifest(manifest: Manifest, host: HostPort): Uint8Array {
  const { provenance, ...body } = manifest
  const pack = (value: unknown): Uint8Array => host.deflate(new TextEncoder().encode(JSON.stringify(value)))
  const head = pack({ provenance, attachments: body.deployment.attachments } satisfies ManifestHead)
  const rest = pack(body)
  const length = HEADER_SIZE + head.length + rest.length
  const bytes = new Uint8Array(Math.ceil(length / MANIFEST_CHUNK) * MANIFEST_CHUNK)
  const view = new DataView(bytes.buffer)
  const { number, slot, replaced } = provenance
  const fields = [MAGIC, number, slot, replaced, head.length, rest.length]
  for (const [i, value] of fields.entries()) view.setUint32(4 * i, value, true)
  bytes.set(head, HEADER_SIZE)
  bytes.set(rest, HEADER_SIZE + head.length)
  return bytes
}

/** `undefined` for a chunk that no manifest of this version starts with. */
export function readHeader(chunk: Uint8Array): ManifestHeader | undefined {
  if (chunk.length < HEADER_SIZE) return undefined
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const field = (i: number): number => view.getUint32(4 * i, true)
  if (field(0) !== MAGIC) return undefined
  return { number: field(1), slot: field(2), replaced: field(3), headLength: field(4), bodyLength: field(5) }
}

/** How many chunks, from the first, hold the head. */
export function headChunks({ headLength }: ManifestHeader): number {
  return Math.ceil((HEADER_SIZE + headLength) / MANIFEST_CHUNK)
}

/** Takes the chunks that `headChunks` counts. @throws LbError `state` where they are no manifest's. */
export function decodeHead(bytes: Uint8Array, host: HostPort): ManifestHead {
  const { headLength } = requireHeader(bytes)
  return unpack(bytes.subarray(HEADER_SIZE, HEADER_SIZE + headLength), host) as ManifestHead
}

/** @throws LbError `state` where the bytes are no manifest. */
export function decodeManifest(bytes: Uint8Array, host: HostPort): Manifest {
  const { headLength, bodyLength } = requireHeader(bytes)
  const start = HEADER_SIZE + headLength
  const body = unpack(bytes.subarray(start, start + bodyLength), host) as Omit<Manifest, 'provenance'>
  const { snapshot } = body.deployment
  // Manifests from before there was a daemon do not have its settings.
  const settings = { ...DEFAULT_DAEMON_SETTINGS, ...snapshot.settings }
  const deployment = { ...body.deployment, snapshot: { ...snapshot, settings } }
  return { provenance: decodeHead(bytes, host).provenance, ...body, deployment }
}

function requireHeader(bytes: Uint8Array): ManifestHeader {
  const header = readHeader(bytes)
  if (header) return header
  throw new LbError('state', 'the manifest has no header that this version of lb writes')
}

function unpack(bytes: Uint8Array, host: HostPort): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(host.inflate(bytes)))
  } catch (cause) {
    throw new LbError('state', 'the manifest is damaged', { cause })
  }
}
