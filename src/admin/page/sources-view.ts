/** Virus sources: who is blocked, and why; forgiven with one click, blocked by hand. */
import { byId, fillTable, make, moment } from './dom.ts';
import { command } from './reply-view.ts';
import { type Figures, readSources, type SourceView } from './server.ts';

/** A block ends by itself: the table is read again after this time at the latest. */
const staleMs = 10_000;

/** The list was read when these were the figures. */
let seen = '';

/** The addresses of which it is shown what counts against them. */
const opened = new Set<string>();

/** Reads the sources again when something about them has changed. */
export function followSources({ counters, atMs }: Figures): void {
  const { misses, virus_requests, sources_blocked, source_requests } = counters;
  const turn = Math.floor(atMs / staleMs);
  const now = [misses, virus_requests, sources_blocked, source_requests, turn].join();
  const rows = byId('virus-source-rows', HTMLElement);
  // Rows do not move while somebody aims at one.
  if (now === seen || rows.matches(':hover')) return;
  seen = now;
  void updateSources();
}

async function updateSources(): Promise<void> {
  const { isWatching, blocked, watched, sources } = await readSources();
  const off = isWatching ? '' : ' SourceBlocking=0: nobody is watched or blocked.';
  byId('virus-source-count', HTMLElement).textContent =
    `${blocked} blocked, ${watched} watched.${off}`;
  const rows = byId('virus-source-rows', HTMLElement);
  fillTable(rows, sources.map(sourceRow), 'There are none.');
}

function sourceRow(source: SourceView): (Node | string)[] {
  const { address, untilMs, why, misses, viruses, times, requests } = source;
  const onclick = async () => {
    if (await command(`virus forgive ${address}`)) await updateSources();
  };
  const label = `Forgive ${address}`;
  return [
    make('code', {}, address),
    moment(untilMs),
    why ?? '-',
    String(misses),
    String(viruses),
    String(times),
    String(requests),
    countedOf(source),
    make('button', { type: 'button', 'aria-label': label, onclick }, 'Forgive'),
  ];
}

function countedOf({ address, counted }: SourceView): Node | string {
  if (counted.length === 0) return '-';
  const ontoggle = (event: Event) => {
    const { target } = event;
    if (!(target instanceof HTMLDetailsElement)) return;
    if (target.open) opened.add(address);
    else opened.delete(address);
  };
  const lines = counted.map(({ atMs, requestId, what, text }) =>
    make('li', {}, moment(atMs), ` ${what} `, make('code', {}, text), ` id ${requestId}`),
  );
  return make(
    'details',
    { open: opened.has(address), ontoggle },
    make(
      'summary',
      { 'aria-label': `What counts against ${address}` },
      `${counted.length} requests`,
    ),
    make('ul', {}, ...lines),
  );
}

export function startSources(): void {
  byId('block-source', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    const address = byId('block-address', HTMLInputElement);
    const seconds = byId('block-seconds', HTMLInputElement);
    const lasting = seconds.value === '' ? '' : ` -s ${seconds.value}`;
    if (!(await command(`virus block ${address.value.trim()}${lasting}`))) return;
    address.value = '';
    await updateSources();
  });
}
