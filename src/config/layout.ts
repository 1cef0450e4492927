/**
 * Which sections a PROXY.CFG has: known ones by their names, accelerators in the order of the file.
 * A section that stands twice is a fault and is read as one, so that its keys are checked too.
 */
import { type Fault, shown } from './fault.ts';
import type { Ini, IniEntry, IniSection } from './ini.ts';
import { type MergedSection, unknownSectionMessage } from './section-reader.ts';
import { acceleratorSection, settingsTable } from './settings.ts';

/** An `[Accelerator NAME]` section. */
export interface AcceleratorSection extends MergedSection {
  readonly word: string;
}

/** The sections of a file. */
export interface Layout {
  /** The section of that name in the table, or undefined when the file does not have it. */
  find(name: string): MergedSection | undefined;
  readonly accelerators: readonly AcceleratorSection[];
}

interface GrowingSection {
  readonly name: string;
  readonly line: number;
  readonly entries: IniEntry[];
}

const acceleratorName = /^accelerator(?: (.*))?$/i;
const acceleratorWord = /^[\x20-\x7e]{1,64}$/;

function wordFault(word: string): string | undefined {
  if (word === '') return 'an accelerator needs a name, as in [Accelerator main]';
  return acceleratorWord.test(word) && !word.includes('"')
    ? undefined
    : `the name ${shown(word)} must be 1 to 64 printable ASCII characters without quotation marks`;
}

/** Sorts the sections of `ini`; unknown, repeated and ill-named ones are reported. */
export function layOut(ini: Ini, report: (fault: Fault) => void): Layout {
  const seen = new Map<string, GrowingSection>();
  const accelerators: (GrowingSection & AcceleratorSection)[] = [];
  const plain = new Set(
    settingsTable.filter((table) => table.named !== true).map((table) => table.name.toLowerCase()),
  );

  const faultOf = (section: IniSection, message: string) =>
    report({ line: section.line, section: section.name, key: '', message });

  for (const section of ini.sections) {
    // A header without a name is the parser's fault to report.
    if (section.name === '') continue;
    const id = section.name.toLowerCase();
    const first = seen.get(id);
    if (first !== undefined) {
      faultOf(section, `the section already stands on line ${first.line}`);
      first.entries.push(...section.entries);
      continue;
    }
    const { name, line } = section;
    const growing = { name, line, entries: [...section.entries] };
    const parts = acceleratorName.exec(name);
    if (parts !== null) {
      const word = parts[1] ?? '';
      const message = wordFault(word);
      if (message !== undefined) faultOf(section, message);
      const accelerator = { ...growing, word };
      seen.set(id, accelerator);
      accelerators.push(accelerator);
    } else if (plain.has(id)) {
      seen.set(id, growing);
    } else {
      faultOf(section, unknownSectionMessage(name));
    }
  }

  if (accelerators.length === 0) {
    report({
      line: ini.lineCount,
      section: `${acceleratorSection.name} NAME`,
      key: '',
      message: 'there is none; at least one accelerator with Listen and Origin is needed',
    });
  }
  return { find: (name) => seen.get(name.toLowerCase()), accelerators };
}
