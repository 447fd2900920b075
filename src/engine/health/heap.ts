/** A pairing heap: what is due first. Immutable; adding takes constant time, taking logarithmic (amortised). */
export interface Entry {
  readonly at: number
  readonly id: string
  /** An entry whose ticket is no longer that of its id is stale. */
  readonly ticket: number
}

export interface Heap {
  readonly entry: Entry
  /** The other heaps that are all due later, as a list. */
  readonly rest: HeapList | null
}

interface HeapList {
  readonly heap: Heap
  readonly next: HeapList | null
}

/** By time, then by id, so that the order never depends on history. */
function isBefore(a: Entry, b: Entry): boolean {
  return a.at === b.at ? a.id < b.id : a.at < b.at
}

function meld(a: Heap, b: Heap): Heap {
  const [first, second] = isBefore(b.entry, a.entry) ? [b, a] : [a, b]
  return { entry: first.entry, rest: { heap: second, next: first.rest } }
}

export function add(heap: Heap | null, entry: Entry): Heap {
  const single: Heap = { entry, rest: null }
  return heap === null ? single : meld(heap, single)
}

/** All entries, in no order. */
export function entriesOf(heap: Heap | null): Entry[] {
  const entries: Entry[] = []
  const pending = heap === null ? [] : [heap]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    entries.push(at.entry)
    for (let list = at.rest; list !== null; list = list.next) pending.push(list.heap)
  }
  return entries
}

/** The heap without its first entry. */
export function removeFirst(heap: Heap): Heap | null {
  // In pairs first, then the pairs: that is what bounds the cost. No recursion: a list can be long.
  let pairs: HeapList | null = null
  for (let list = heap.rest; list !== null;) {
    const second: HeapList | null = list.next
    pairs = { heap: second === null ? list.heap : meld(list.heap, second.heap), next: pairs }
    list = second === null ? null : second.next
  }
  let result: Heap | null = null
  for (; pairs !== null; pairs = pairs.next) result = result === null ? pairs.heap : meld(result, pairs.heap)
  return result
}
