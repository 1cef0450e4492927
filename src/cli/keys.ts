/**
 * What a terminal's bytes say was pressed, as far as a screen that is looked at needs to know (xterm's
 * control sequences). Sequences may come in pieces. Pure.
 */

export type Key = 'quit' | 'page-down' | 'page-up' | 'down' | 'up' | 'home' | 'end' | 'other';

const escapeCharacter = '\x1b';

const plainKeys: Readonly<Record<string, Key>> = {
  q: 'quit',
  Q: 'quit',
  '0': 'quit',
  '\r': 'quit',
  '\n': 'quit',
  '\x03': 'quit',
  '\x04': 'quit',
  ' ': 'page-down',
  f: 'page-down',
  b: 'page-up',
  j: 'down',
  k: 'up',
  g: 'home',
  G: 'end',
};

/** By what follows the escape character and `[` or `O`. */
const sequences: Readonly<Record<string, Key>> = {
  A: 'up',
  B: 'down',
  H: 'home',
  F: 'end',
  '1~': 'home',
  '4~': 'end',
  '5~': 'page-up',
  '6~': 'page-down',
  '7~': 'home',
  '8~': 'end',
};

/** What follows it in a whole sequence: parameters and a final character (ECMA-48 §5.4). */
const wholeSequence = /^(?:\[[0-?]*[ -/]*[@-~]|O[ -~])/;
const begunSequence = /^(?:\[[0-?]*[ -/]*|O)?$/;

/** Turns bytes into keys. */
export class KeyDecoder {
  #rest = '';

  /** A sequence has begun, or Escape was pressed alone: nobody knows before some time has passed. */
  get isWaiting(): boolean {
    return this.#rest !== '';
  }

  /** The keys in what has arrived; `text` is latin1. */
  push(text: string): Key[] {
    const keys: Key[] = [];
    let left = this.#rest + text;
    while (left !== '') {
      const first = left.charAt(0);
      const rest = left.slice(1);
      if (first !== escapeCharacter) {
        keys.push(plainKeys[first] ?? 'other');
        left = rest;
        continue;
      }
      if (begunSequence.test(rest)) break;
      const [sequence = ''] = wholeSequence.exec(rest) ?? [];
      // Escape and then something that continues no sequence: it was pressed by itself.
      keys.push(sequence === '' ? 'quit' : (sequences[sequence.slice(1)] ?? 'other'));
      left = rest.slice(sequence.length);
    }
    this.#rest = left;
    return keys;
  }

  /** Nothing more has come: what waits was Escape itself, or is of no use. */
  giveUp(): Key[] {
    const wasEscape = this.#rest === escapeCharacter;
    this.#rest = '';
    return wasEscape ? ['quit'] : [];
  }
}
