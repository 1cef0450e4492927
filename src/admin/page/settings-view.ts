/** Every key of PROXY.CFG, searched on the page. */
import { byId, fillTable, make } from './dom.ts';
import { readSettings } from './server.ts';

export async function startSettings(): Promise<void> {
  const settings = await readSettings();
  const search = byId('setting-search', HTMLInputElement);
  const show = () => {
    const word = search.value.toLowerCase();
    const found = settings.filter(({ section, key, value, help }) =>
      `${section} ${key} ${value} ${help}`.toLowerCase().includes(word),
    );
    const rows = found.map((setting) => [
      setting.section,
      make('code', {}, setting.key),
      setting.isDefault ? 'default' : make('code', {}, setting.value),
      setting.default,
      setting.changedBy,
      setting.help,
    ]);
    fillTable(byId('setting-rows', HTMLElement), rows, 'No key is like that.');
  };
  search.addEventListener('input', show);
  show();
}
