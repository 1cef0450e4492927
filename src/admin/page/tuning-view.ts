/** The settings that the console changes while the server runs. */
import { byId } from './dom.ts';
import { command } from './reply-view.ts';

export function startTuning(): void {
  byId('tune', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    const threshold = byId('threshold', HTMLInputElement).value;
    const interval = byId('interval', HTMLInputElement).value;
    const autoUpdate = byId('auto-update', HTMLSelectElement).value;
    await command(`virus -t ${threshold} -r ${interval} -e ${autoUpdate}`);
  });
}
