/**
 * One page of a long list, searched and sorted: of a million patterns the hundred that are wanted, without
 * holding up the server, which goes on between slices.
 */
export interface PageWanted<Item> {
  readonly from: number;
  readonly count: number;
  /** Whether an item is to be listed. */
  matches(item: Item): boolean;
  /** Negative: `one` stands before `other`. */
  compare(one: Item, other: Item): number;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** How many items match in all. */
  readonly total: number;
}

/** Items looked at before others get their turn. */
const sliceItems = 5_000;

/** The farthest page, in items: what stands before it has to be kept while the list is read. */
export const pageEndMax = 2_000;

/**
 * Reads a list through once. `begin` is asked for the list anew when it has changed meanwhile, `again` times
 * at most; then undefined.
 */
export async function pageOf<Item>(
  begin: () => Iterable<Item>,
  wanted: PageWanted<Item>,
  again = 3,
): Promise<Page<Item> | undefined> {
  try {
    return await readThrough(begin(), wanted);
  } catch {
    return again > 0 ? await pageOf(begin, wanted, again - 1) : undefined;
  }
}

async function readThrough<Item>(
  list: Iterable<Item>,
  { from, count, matches, compare }: PageWanted<Item>,
): Promise<Page<Item>> {
  const end = Math.min(from + count, pageEndMax);
  // Those that may stand on the page or before it, cut back now and then.
  let first: Item[] = [];
  let total = 0;
  let seen = 0;
  for (const item of list) {
    seen += 1;
    if (seen % sliceItems === 0) await new Promise((resolve) => setImmediate(resolve));
    if (!matches(item)) continue;
    total += 1;
    first.push(item);
    if (first.length >= 2 * end + sliceItems) first = first.sort(compare).slice(0, end);
  }
  return { items: first.sort(compare).slice(from, end), total };
}
