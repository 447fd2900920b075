/** What the files of a host say about names: hosts(5) and resolv.conf(5). */

/** Addresses by name in lower case, in the order of the file. */
export type HostsFile = ReadonlyMap<string, readonly string[]>

export interface SearchRules {
  /** Domains to try a name in. */
  readonly search: readonly string[]
  /** A name with this many dots is tried as it is first. */
  readonly ndots: number
}

/** As in the C library: six domains. */
const MAX_DOMAINS = 6
const MAX_NDOTS = 15

export function parseHosts(text: string): HostsFile {
  const hosts = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address, ...names] = wordsOf(line.replace(/#.*/, ''))
    if (address === undefined) continue
    for (const name of names.map((given) => given.toLowerCase())) {
      const known = hosts.get(name)
      if (known) known.push(address)
      else hosts.set(name, [address])
    }
  }
  return hosts
}

/**
 * The addresses of a name that DNS is not asked for, of both families; `undefined`: it is to be asked.
 * A name that is in the file with one family only has no address of the other, as in the C library.
 * `localhost` and what ends in it is this host, whatever a server says (RFC 6761, section 6.3).
 */
export function localAddresses(host: string, hosts: HostsFile): readonly string[] | undefined {
  const name = host.toLowerCase().replace(/\.$/, '')
  const isLocalhost = name === 'localhost' || name.endsWith('.localhost')
  return hosts.get(name) ?? (isLocalhost ? ['127.0.0.1', '::1'] : undefined)
}

export function parseResolvConf(text: string): SearchRules {
  let search: string[] = []
  let ndots = 1
  for (const line of text.split('\n')) {
    const [key, ...words] = wordsOf(line.replace(/^\s*[#;].*/, ''))
    // The last of `search` and `domain` counts.
    if (key === 'search') search = words.slice(0, MAX_DOMAINS)
    if (key === 'domain') search = words.slice(0, 1)
    if (key !== 'options') continue
    for (const option of words) {
      const dots = /^ndots:(\d+)$/.exec(option)?.[1]
      if (dots !== undefined) ndots = Math.min(MAX_NDOTS, Number(dots))
    }
  }
  return {
    search: search.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== ''),
    ndots,
  }
}

/** The names to ask for, in order; the first that exists is meant. A final dot says that the name is whole. */
export function candidates(host: string, { search, ndots }: SearchRules): readonly string[] {
  if (host.endsWith('.')) return [host.slice(0, -1)]
  const inDomains = search.map((domain) => `${host}.${domain}`)
  return host.split('.').length - 1 >= ndots ? [host, ...inDomains] : [...inDomains, host]
}

function wordsOf(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== '')
}
