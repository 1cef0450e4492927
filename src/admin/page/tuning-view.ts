/** The settings that the console changes while the server runs. */
import { byId } from './dom.ts';
import { command } from './reply-view.ts';
import type { Figures } from './server.ts';

let isFilled = false;

/** Puts the values in force into the form, once: what somebody types there is his. */
export function fillTuning({ screen }: Figures): void {
  if (isFilled || screen === undefined) return;
  isFilled = true;
  byId('threshold', HTMLInputElement).value = String(screen.hitThreshold);
  byId('interval', HTMLInputElement).value = String(screen.refreshInterval);
  byId('auto-update', HTMLSelectElement).value = screen.autoUpdate ? '1' : '0';
}

export function startTuning(): void {
  byId('tune', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    const threshold = byId('threshold', HTMLInputElement).value;
    const interval = byId('interval', HTMLInputElement).value;
    const autoUpdate = byId('auto-update', HTMLSelectElement).value;
    await command(`virus -t ${threshold} -r ${interval} -e ${autoUpdate}`);
  });
}
