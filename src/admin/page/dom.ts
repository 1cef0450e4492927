/** Elements, made of data. Text is only ever text: nothing here reads markup. */

type Child = Node | string;

/** Attributes; `on…` are listeners, `true` is an attribute without a value, `false` none. */
export type Attributes = Readonly<
  Record<string, string | number | boolean | ((event: Event) => void)>
>;

/** A new element. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** The element of the page with this id. */
export function byId<E extends HTMLElement>(id: string, type: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${id}`);
  return element;
}

/**
 * Rows of cells in the place of those that a table's body has. Who was on a button of it stays on the same one, or
 * with the table when it is gone: on the next row's, a second Enter would delete another thing.
 */
export function fillTable(
  body: HTMLElement,
  rows: readonly (readonly Child[])[],
  whenEmpty: string,
): void {
  const columns = body.parentElement?.querySelectorAll('thead th').length ?? 1;
  const cells = (row: readonly Child[]) => row.map((cell) => make('td', {}, cell));
  const filled = rows.map((row) => make('tr', {}, ...cells(row)));
  const label = body.querySelector('button:focus')?.ariaLabel;
  const empty = make('tr', {}, make('td', { colspan: columns, class: 'empty' }, whenEmpty));
  body.replaceChildren(...(filled.length === 0 ? [empty] : filled));
  if (label === undefined) return;
  const same = [...body.querySelectorAll('button')].find((button) => button.ariaLabel === label);
  (same ?? body.closest<HTMLElement>('.scroll'))?.focus({ preventScroll: true });
}

/** A moment, to the second, in UTC as the logs have it; a dash for none. */
export function moment(atMs: number | null | undefined): Node | string {
  if (atMs === null || atMs === undefined) return '-';
  const written = new Date(atMs).toISOString();
  return make('time', { datetime: written }, written.replace('T', ' ').replace(/\..*/, ''));
}
