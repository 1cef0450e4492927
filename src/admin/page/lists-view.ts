/** Proposals, to be accepted or rejected, and keywords, to be added and deleted. */
import { byId, fillTable, make, moment } from './dom.ts';
import { command, quoted } from './reply-view.ts';
import { type KeywordView, type ProposalView, readLists } from './server.ts';

/** Reads both lists again, and shows them. */
export async function updateLists(): Promise<void> {
  const { proposals, keywords } = await readLists();
  const nothing = 'There are none.';
  fillTable(byId('proposal-rows', HTMLElement), proposals.map(proposalRow), nothing);
  fillTable(byId('keyword-rows', HTMLElement), keywords.map(keywordRow), nothing);
}

/** A button that carries out a command; `label` says about what, for those who do not see its row. */
function action(name: string, label: string, line: string): HTMLButtonElement {
  const onclick = async () => {
    if (await command(line)) await updateLists();
  };
  return make('button', { type: 'button', 'aria-label': label, onclick }, name);
}

function proposalRow(proposal: ProposalView): (Node | string)[] {
  const { pattern, origLength, keyword, why, times, lastSeenMs, sample } = proposal;
  const operand = `-p "${pattern}" -o ${origLength}`;
  const buttons = make(
    'span',
    { class: 'line' },
    action('Accept', `Accept the pattern ${pattern}`, `virus accept ${operand}`),
    action('Reject', `Reject the pattern ${pattern}`, `virus reject ${operand}`),
  );
  return [
    make('code', {}, pattern),
    String(origLength),
    keyword,
    why,
    String(times),
    moment(lastSeenMs),
    sample.source,
    make('code', {}, sample.requestLine),
    buttons,
  ];
}

function keywordRow(entry: KeywordView): (Node | string)[] {
  const { keyword, from, addedAtMs, confirmedAtMs, hits, servedAtMs } = entry;
  const remove = action('Delete', `Delete the keyword ${keyword}`, `virus del -k "${keyword}"`);
  return [
    make('code', {}, keyword),
    from,
    moment(addedAtMs),
    moment(confirmedAtMs),
    String(hits),
    moment(servedAtMs),
    remove,
  ];
}

export function startLists(): void {
  byId('add-keyword', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    const keyword = byId('new-keyword', HTMLInputElement);
    if (!(await command(`virus add -k ${quoted(keyword.value)}`))) return;
    keyword.value = '';
    await updateLists();
  });
}
