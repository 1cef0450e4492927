/** What a PROXY.CFG says, key by key, for the operator who looks at a running server. Secrets are left out. */
import type { IniEntry } from './ini.ts';
import type { Layout } from './layout.ts';
import { settingsTable } from './settings.ts';

/** One key of one section of the file, or one that the file leaves at its default. */
export interface WrittenSetting {
  /** With the name of its accelerator, e.g. `Accelerator shop`. */
  readonly section: string;
  readonly key: string;
  /** As it stands in the file, latin1, or the default; undefined: a secret that is set. */
  readonly value: string | undefined;
  readonly isDefault: boolean;
}

/** All keys, in the order of the documents; those that are numbered, only as far as the file has them. */
export function writtenSettings(layout: Layout): WrittenSetting[] {
  return settingsTable.flatMap((table) => {
    const sections =
      table.named === true
        ? layout.accelerators
        : [layout.find(table.name) ?? { name: table.name, entries: [] as readonly IniEntry[] }];
    return sections.flatMap(({ name, entries }) =>
      Object.entries(table.rows).flatMap(([key, row]) => {
        const found = entries.filter((entry) =>
          row.numbered === true ? isNumbered(entry.key, key) : sameKey(entry.key, key),
        );
        const isHidden = (value: string) => row.type.isSecret === true && !/^(?:"")?$/.test(value);
        const said = found.map(({ key: written, value }) => {
          return {
            section: name,
            key: written,
            value: isHidden(value) ? undefined : value,
            isDefault: false,
          };
        });
        if (said.length > 0 || row.numbered === true) return said;
        return [{ section: name, key, value: row.default, isDefault: true }];
      }),
    );
  });
}

function sameKey(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** `Pattern12` for the key `PatternN`. */
function isNumbered(written: string, key: string): boolean {
  return sameKey(written.replace(/\d+$/, 'N'), key) && /\d$/.test(written);
}
