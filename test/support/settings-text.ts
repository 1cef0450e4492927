/** Settings, or every fault, of a PROXY.CFG that is given as text. */
import assert from 'node:assert/strict';
import { formatFault, loadSettings } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/shape.ts';

/** A whole configuration, on one line. */
export const accelerator = '[Accelerator main] Listen=127.0.0.1:8080 Origin=demo';

function load(text: string) {
  return loadSettings('/etc/wormgate/PROXY.CFG', (file) => {
    if (file.endsWith('.ncf')) return Buffer.from('');
    return Buffer.from(text, 'latin1');
  });
}

/** The settings; there may be no fault. */
export function settingsOf(text: string): Settings {
  const loaded = load(text);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.map(formatFault).join('\n'));
  return loaded.settings;
}

/** Every fault of the text, printed, without the file's name. */
export function faultsOf(text: string): string[] {
  const loaded = load(text);
  if (loaded.ok) return [];
  return loaded.faults.map((fault) => formatFault(fault).replace('/etc/wormgate/PROXY.CFG:', ''));
}
