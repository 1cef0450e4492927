/** The list of patterns: searched, sorted and paged by the server; added to and deleted from. */
import { pageEndMax } from '../pattern-pages.ts';
import { byId, fillTable, make, moment } from './dom.ts';
import { command, quoted } from './reply-view.ts';
import { type PatternView, readPatterns } from './server.ts';

const pageCount = 25;

let from = 0;
/** Only the answer to the last question is shown. */
let asked = 0;

/** Reads the page that is wanted now, and shows it. */
export async function updatePatterns(): Promise<void> {
  asked += 1;
  const own = asked;
  const { patterns, total } = await readPatterns({
    search: byId('pattern-search', HTMLInputElement).value,
    sort: byId('pattern-sort', HTMLSelectElement).value,
    order: byId('pattern-order', HTMLSelectElement).value,
    from,
    count: pageCount,
  });
  if (own !== asked) return;
  fillTable(byId('pattern-rows', HTMLElement), patterns.map(rowOf), 'There are none.');
  const last = from + patterns.length;
  const place = total === 0 ? 'none' : `${from + 1} to ${last} of ${total}`;
  byId('pattern-count', HTMLElement).textContent = place;
  byId('pattern-previous', HTMLButtonElement).disabled = from === 0;
  byId('pattern-next', HTMLButtonElement).disabled = last >= Math.min(total, pageEndMax);
}

function rowOf(entry: PatternView): (Node | string)[] {
  const { pattern, origLength, hits, lastHitMs, addedAtMs } = entry;
  const remove = make(
    'button',
    {
      type: 'button',
      'aria-label': `Delete the pattern ${pattern}`,
      onclick: async () => {
        if (await command(`virus del -p "${pattern}" -o ${origLength}`)) await updatePatterns();
      },
    },
    'Delete',
  );
  return [
    make('code', {}, pattern),
    String(origLength),
    entry.from,
    moment(addedAtMs),
    String(hits),
    moment(lastHitMs),
    remove,
  ];
}

export function startPatterns(): void {
  const again = () => {
    from = 0;
    void updatePatterns();
  };
  byId('find-pattern', HTMLFormElement).addEventListener('input', again);
  byId('find-pattern', HTMLFormElement).addEventListener('submit', (event) =>
    event.preventDefault(),
  );
  const turn = (step: number) => () => {
    from = Math.max(0, from + step);
    void updatePatterns();
  };
  byId('pattern-previous', HTMLButtonElement).addEventListener('click', turn(-pageCount));
  byId('pattern-next', HTMLButtonElement).addEventListener('click', turn(pageCount));
  byId('add-pattern', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    const pattern = byId('new-pattern', HTMLInputElement);
    const length = byId('new-length', HTMLInputElement).value;
    if (!(await command(`virus add -p ${quoted(pattern.value)} -o ${length}`))) return;
    pattern.value = '';
    await updatePatterns();
  });
}
