/**
 * The types of the values in PROXY.CFG: whole numbers, flags, choices, texts, file names and comma
 * lists. A type knows how to read a value and how to describe what it allows; the rows of
 * settings.ts say which type a key has. Addresses and patterns are in endpoint.ts and pattern-value.ts.
 * Text is latin1, one character a byte.
 */
import { shown } from './fault.ts';
import { quotedEnd, unquote } from './quoted.ts';

/** The value, or one sentence for each thing that is wrong with it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly messages: readonly string[] };

/** How values of one kind are read, and what they are, in words good enough to print. */
export interface ValueType<T> {
  /** Its value is told to nobody. */
  readonly isSecret?: true;
  /** For example `whole number of seconds, 1-3600`. */
  readonly description: string;
  parse(text: string): Parsed<T>;
}

/** The smallest and the largest number that a setting may have. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A good value. */
export function accept<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** A bad value, and why. */
export function refuse<T>(message: string): Parsed<T> {
  return { ok: false, messages: [message] };
}

const controlCharacter = /[^\x20-\x7e\x80-\xff]/;

/** The text of a scalar: a quoted one is unescaped whole, a bare one is taken as it stands. */
export function plainText(text: string): Parsed<string> {
  if (text.startsWith('"')) {
    if (quotedEnd(text, 0) < text.length) {
      return refuse(`${shown(text)} goes on after its closing quotation mark`);
    }
    const unquoted = unquote(text);
    return unquoted.ok ? accept(unquoted.text) : refuse(`${shown(text)}: ${unquoted.message}`);
  }
  return controlCharacter.test(text)
    ? refuse(`${shown(text)} holds a control character`)
    : accept(text);
}

function hasCommentSign(text: string): boolean {
  return /[ \t][;#]/.test(text);
}

// A number or a word followed by `; …` is most likely a comment out of place.
function commentHint(text: string): string {
  return hasCommentSign(text) ? '; a comment needs a line of its own' : '';
}

/** A type whose values are read from their plain text by `read`. */
export function scalar<T>(description: string, read: (text: string) => Parsed<T>): ValueType<T> {
  return {
    description,
    parse(text) {
      const plain = plainText(text);
      return plain.ok ? read(plain.value) : plain;
    },
  };
}

/** A whole number within `range`, both ends included; `unit` is a plural, such as `seconds`. */
export function integer(range: Range, unit = ''): ValueType<number> {
  const allowed = `${range.min}-${range.max}${unit === '' ? '' : ` ${unit}`}`;
  return scalar(
    `whole number, ${range.min}-${range.max}${unit === '' ? '' : ` ${unit}`}`,
    (text) => {
      if (!/^-?[0-9]+$/.test(text)) {
        return refuse(
          `${shown(text)} is not a whole number; allowed is ${allowed}${commentHint(text)}`,
        );
      }
      const value = Number(text);
      return value >= range.min && value <= range.max
        ? accept(value)
        : refuse(`${shown(text)} is out of range; allowed is ${allowed}`);
    },
  );
}

/** 0 for no and 1 for yes. */
export const flag: ValueType<boolean> = scalar('0 or 1', (text) =>
  text === '0' || text === '1'
    ? accept(text === '1')
    : refuse(`${shown(text)} is out of range; allowed is 0-1${commentHint(text)}`),
);

/** One of a few words, case ignored. */
export function choice<const W extends string>(...words: readonly W[]): ValueType<W> {
  const allowed = words.join(' or ');
  return scalar(allowed, (text) => {
    const word = words.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
    return word === undefined
      ? refuse(`${shown(text)} is not known; allowed is ${allowed}${commentHint(text)}`)
      : accept(word);
  });
}

/** A text that is nobody's business: what is wrong with it is told without quoting it. */
function secret(description: string, allowed: RegExp, message: string): ValueType<string> {
  return {
    description,
    isSecret: true,
    parse(text) {
      const plain = plainText(text);
      if (!plain.ok) return refuse('its quotation marks or what stands within them are wrong');
      return allowed.test(plain.value) ? plain : refuse(message);
    },
  };
}

/** Printable ASCII without blanks, as it can stand in an HTTP header; may be empty; never printed. */
export const token = secret(
  'text without blanks',
  /^[\x21-\x7e]*$/,
  'only printable ASCII without blanks is allowed',
);

/** Printable ASCII with or without blanks; may be empty; never printed. */
export const passphrase = secret('text', /^[\x20-\x7e]*$/, 'only printable ASCII is allowed');

/** A port, or two with a dash between; both ends included. */
export const portRange: ValueType<readonly [first: number, last: number]> = scalar(
  'port or range of ports',
  (text) => {
    const [, from = '', to = from] = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(text) ?? [];
    const [first, last] = [Number(from), Number(to)];
    return from !== '' && first >= 1 && last <= 65_535 && first <= last
      ? accept([first, last])
      : refuse(`${shown(text)} is no port from 1 to 65535, nor two of them as in 8000-8999`);
  },
);

/** A file name, UTF-8 in the file; never empty, never with a NUL. */
export const fileName: ValueType<string> = {
  description: 'file name',
  parse(text) {
    if (!text.startsWith('"') && hasCommentSign(text)) {
      return refuse(`${shown(text)} must stand in quotation marks${commentHint(text)}`);
    }
    const plain = plainText(text);
    if (!plain.ok) return plain;
    if (plain.value === '') return refuse('a file name is needed');
    if (plain.value.includes('\0')) return refuse(`${shown(text)} holds a NUL, which no name can`);
    const name = Buffer.from(plain.value, 'latin1').toString('utf8');
    return name.includes('\ufffd') ? refuse(`${shown(text)} is not UTF-8`) : accept(name);
  },
};

/** A file name, or nothing. */
export const optionalFileName: ValueType<string | undefined> = {
  description: 'file name, or empty',
  parse: (text) => (text === '' ? accept(undefined) : fileName.parse(text)),
};

// The names that the running server itself gives to files of the data folder.
const takenNames: readonly string[] = [
  'virpat.ncf',
  'virus.journal',
  'sources.journal',
  'served.memory',
  'console.sock',
];

/** The name of a log: absolute, or within the data folder. */
export const logFileName: ValueType<string> = {
  description: 'file name, absolute or within the data folder',
  parse(text) {
    const parsed = fileName.parse(text);
    if (!parsed.ok || parsed.value.startsWith('/')) return parsed;
    const parts = parsed.value.split('/').filter((part) => part !== '.' && part !== '');
    if (parts.includes('..')) {
      return refuse(`${shown(text)} leaves the data folder; write an absolute path for that`);
    }
    const taken = parts.length === 1 && takenNames.includes((parts[0] ?? '').toLowerCase());
    if (parts.length === 0 || taken || parsed.value.endsWith('/')) {
      return refuse(`${shown(text)} cannot be the name of a log`);
    }
    return parsed;
  },
};

/** Cuts a comma list at the commas outside quotation marks; blanks around the parts are removed. */
export function splitList(text: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  let wordBegins = true;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"' && wordBegins) {
      at = quotedEnd(text, at);
      wordBegins = false;
      continue;
    }
    if (character === ',') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
    wordBegins = character === ',' || character === ' ' || character === '\t';
    at += 1;
  }
  parts.push(text.slice(start));
  // String.trim would also take the byte 0xA0, which ends some UTF-8 characters.
  return parts.map((part) => part.replace(/^[ \t]+/, '').replace(/[ \t]+$/, ''));
}

/** A comma list; the empty value is the empty list, and every bad part gets its own sentence. */
export function listOf<T>(part: ValueType<T>, description: string): ValueType<readonly T[]> {
  return {
    description,
    parse(text) {
      if (text === '') return accept([]);
      const values: T[] = [];
      const messages: string[] = [];
      for (const written of splitList(text)) {
        const parsed =
          written === '' ? refuse<T>('an empty part in the list') : part.parse(written);
        if (parsed.ok) values.push(parsed.value);
        else messages.push(...parsed.messages);
      }
      return messages.length === 0 ? accept(values) : { ok: false, messages };
    },
  };
}
