/**
 * What events look like: THE table of their kinds and fields, and one event as a line of JSON. The
 * reference in docs/events.md is made from the table. Pure.
 */
import type { EventKind } from '../config/event-rows.ts';
import { type AccessEntry, unpaddedText } from './access.ts';

type FieldType = 'text' | 'text or null' | 'number';

/** One field: its type, and what it says, in words good enough to print. */
interface FieldRow {
  readonly type: FieldType;
  readonly help: string;
}

interface EventRow {
  readonly help: string;
  readonly fields: Readonly<Record<string, FieldRow>>;
}

function text(help: string) {
  return { type: 'text', help } as const;
}

function textOrNull(help: string) {
  return { type: 'text or null', help } as const;
}

function number(help: string) {
  return { type: 'number', help } as const;
}

const client = text('The address of the client; behind a trusted proxy, the client that it names.');
const request = text('The request line, as in PROXY.LOG but not escaped by `%HH`.');
const learning = {
  pattern: text('The pattern, without the zero bytes that fill it up.'),
  origLength: number('Its original length.'),
  keyword: text('The virus keyword that the request holds.'),
  client,
  request,
  count: number('More than so many such requests came …; 0: it was a miss.'),
  seconds: number('… within so many seconds.'),
};

export const eventTable = {
  blocked: {
    help: 'A virus request, or one of a blocked source, was blocked.',
    fields: {
      client,
      request,
      action: text('`slip`: the connection was closed. `drop`: the answer was 400.'),
      pattern: textOrNull('The pattern that matched; null when none did.'),
      keyword: textOrNull(
        'The confirmed keyword that the request holds; null when that was not the reason.',
      ),
      from: text(
        'Where it came from: `console`, `ncf`, `shipped`, `auto(KEYWORD)` or `miss(KEYWORD)`, in a fleet followed by `@` and the node that brought it; `source`: neither, its source is blocked.',
      ),
      id: text('The request id, the same as in PROXY.LOG.'),
    },
  },
  suspect: {
    help: 'A request became suspect: more of its kind came than HitThreshold allows.',
    fields: { client, request, pattern: text('Its window, which would be its pattern.') },
  },
  learned: { help: 'Auto Update added a pattern.', fields: learning },
  proposed: {
    help: 'Auto Update proposed a pattern, for `virus accept` or `virus reject`.',
    fields: {
      ...learning,
      reason: text(
        'Why it was not added: `window-served` or `path-served`, it was lately served to somebody; `not-missing`, no origin has said that it does not have it; `action`, AutoUpdateAction=propose.',
      ),
    },
  },
  throttle: {
    help: 'The virus throttle has something to tell of a server, as in hp-vt.log and SNMP traps.',
    fields: {
      alert: text(
        '`detected`: virus-like activity. `stopped`: it is over. `dropping`: the queue is full.',
      ),
      source: text('The address of the server.'),
      waiting: number('How many of its connection requests wait.'),
      dropped: number('How many of them were dropped since the start.'),
    },
  },
  origin: {
    help: 'An origin is left out because it failed, or came back.',
    fields: {
      origin: text('The origin, as PROXY.CFG names it.'),
      state: text('`down` or `up`.'),
      why: textOrNull('What failed last; null when it is up.'),
    },
  },
  source: {
    help: 'A source is blocked; with Mode=detect, it would be.',
    fields: {
      address: text('Its address; for IPv6, the /64 around it.'),
      why: text(
        '`misses`: what nobody was ever served, so often. `viruses`: virus requests. `console`: the operator.',
      ),
      misses: number('How many misses it had.'),
      viruses: number('How many virus requests it had sent.'),
      seconds: number('How long it is blocked, if it is quiet from now on.'),
    },
  },
  fleet: {
    help: "The fleet's engine cannot be reached, or refuses commands; or it is back.",
    fields: {
      engine: text('Its address.'),
      state: text('`down` or `up`.'),
      why: textOrNull('What is wrong; null when it is up.'),
    },
  },
} as const satisfies Record<EventKind, EventRow>;

type Table = typeof eventTable;
type ValueOf<T> = T extends 'number' ? number : T extends 'text' ? string : string | null;

/** What an event of a kind tells beside `time` and `kind`. Texts are latin1, one character a byte. */
export type EventFields<K extends EventKind> = {
  readonly [F in keyof Table[K]['fields']]: Table[K]['fields'][F] extends FieldRow
    ? ValueOf<Table[K]['fields'][F]['type']>
    : never;
};

/** Texts are cut here. */
export const textLengthMax = 1024;

/** One event as JSON on one line, in printable ASCII, whatever a client sent; fields as in the table. */
export function formatEvent<K extends EventKind>(
  kind: K,
  atMs: number,
  fields: EventFields<K>,
): string {
  const values = fields as Readonly<Record<string, string | number | null>>;
  const ordered = Object.keys(eventTable[kind].fields).map((name) => [name, cut(values[name])]);
  return toJson({ ...beginning(kind, atMs), ...Object.fromEntries(ordered) });
}

/** The event that stands for those that were omitted. */
export function formatOmitted(kind: EventKind, atMs: number, omitted: number): string {
  return toJson({ ...beginning(kind, atMs), omitted });
}

function beginning(kind: EventKind, atMs: number) {
  return { time: new Date(atMs).toISOString(), kind };
}

function cut(value: string | number | null | undefined) {
  return typeof value === 'string' ? value.slice(0, textLengthMax) : value;
}

/** Besides what JSON asks for, whatever a terminal or a web page could take for something else. */
function toJson(event: object): string {
  return JSON.stringify(event).replace(
    /[<>&'\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What an entry of PROXY.LOG tells of a blocked request; undefined: it was not blocked. */
export function blockedFields(entry: AccessEntry): EventFields<'blocked'> | undefined {
  const { outcome } = entry;
  if (outcome.kind !== 'slipped' && outcome.kind !== 'dropped') return undefined;
  const { matched, from, requestId: id } = outcome.reason;
  const isPattern = matched instanceof Uint8Array;
  return {
    client: entry.client,
    request: entry.requestLine,
    action: outcome.kind === 'slipped' ? 'slip' : 'drop',
    pattern: isPattern ? unpaddedText(matched) : null,
    keyword: typeof matched === 'string' ? matched : null,
    from,
    id,
  };
}

/** The reference part of docs/events.md. */
export function renderEventReference(): string {
  const sections = Object.entries<EventRow>(eventTable).map(([kind, { help, fields }]) => {
    const rows = Object.entries(fields).map(
      ([name, row]) => `| \`${name}\` | ${row.type} | ${row.help} |`,
    );
    return `### ${kind}\n\n${help}\n\n| field | type | what it says |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return sections.join('\n');
}
