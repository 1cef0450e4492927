/** What would become of a request line, and why. */
import { byId, make } from './dom.ts';
import { inspect } from './server.ts';

export function startInspector(): void {
  byId('inspect', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    const { outcome, steps } = await inspect(byId('inspected', HTMLInputElement).value);
    const isBlocked = outcome === 'slip' || outcome === 'drop' || outcome === 'refused';
    const told = make('strong', { class: isBlocked ? 'bad' : 'good' }, outcome);
    byId('outcome', HTMLElement).replaceChildren('Outcome: ', told);
    const shown = steps.map(({ step, finding }) =>
      make('div', {}, make('dt', {}, step), make('dd', {}, finding)),
    );
    byId('steps', HTMLElement).replaceChildren(...shown);
  });
}
