import type { SourceRange } from '../model/problem.ts'
import { interfaceAddress, proxyAddress, sourceRouteAddress, targetAddress } from '../model/resource.ts'
import type { Draft, DraftProxy } from './draft.ts'
import type { Place } from './source.ts'

/** The address of an interface in the list that a proxy listens on. */
export function listenAddress(proxy: string, name: string): string {
  return `${proxyAddress(proxy)}.listen.${interfaceAddress(name)}`
}

/** Finds where resources are defined; those with a name stand under it. The index is built at the first question: most runs ask none. */
export function locatorOf(draft: Draft): (address: string) => SourceRange | undefined {
  let places: ReadonlyMap<string, Place> | undefined
  return (address) => {
    places ??= indexPlaces(draft)
    const place = places.get(address)
    return place?.source.positions.range(place.span)
  }
}

function indexPlaces({ proxies, interfaces, settings }: Draft): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const proxy of proxies) indexProxy(places, proxy)
  for (const { name, source, keySpan } of interfaces) {
    places.set(interfaceAddress(name), { source, span: keySpan })
  }
  for (const { key, source, keySpan } of settings) places.set(`settings.${key}`, { source, span: keySpan })
  return places
}

function indexProxy(places: Map<string, Place>, proxy: DraftProxy): void {
  const { source, name, listen, defaultTarget, sourceRoutes } = proxy
  if (name === undefined) return
  places.set(proxyAddress(name.value), { source, span: name })
  for (const node of listen?.interfaces ?? []) {
    places.set(listenAddress(name.value, node.value), { source, span: node })
  }
  for (const { ip, host, port } of defaultTarget?.targets ?? []) {
    const node = ip?.node ?? host?.node
    const text = ip?.value.text ?? host?.value
    if (node === undefined || text === undefined || port === undefined) continue
    places.set(targetAddress(name.value, text, port.value), { source, span: node })
  }
  for (const route of sourceRoutes) {
    const node = route.source?.node ?? route.sourceHost?.node
    const text = route.source?.value.text ?? route.sourceHost?.value
    if (node === undefined || text === undefined) continue
    places.set(sourceRouteAddress(name.value, text), { source, span: node })
  }
}
