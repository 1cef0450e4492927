/**
 * The commands of this node that it has not yet seen in the stream, in its order. They are in force here,
 * and count as later than everything that is in the stream. Pure; the journal has them, too.
 */
import { type Command, commandFields, entryBytesMax, entryCommandsMax } from './command.ts';
import { alteredBy } from './shared-change.ts';

/** A command that waits. */
export interface Held {
  readonly session: string;
  readonly seq: number;
  readonly command: Command;
  /** What it alters, as keys; none for a clear. */
  readonly keys: readonly string[];
  /** How much of the stream had been brought into force when it last was. */
  appliedAt: number;
  /** Whether the engine was handed it over the connection that there is. */
  isSent: boolean;
}

/** Commands that are handed to the engine at once: of one session, one number after the other. */
export interface Batch {
  readonly held: readonly Held[];
  readonly session: string;
  readonly seq: number;
  /** The commands as JSON. */
  readonly text: string;
}

/** What has been altered: keys, or all. */
export class Altered {
  #isAll = false;
  readonly #keys = new Set<string>();

  get isNothing(): boolean {
    return !this.#isAll && this.#keys.size === 0;
  }

  add({ command, keys }: Pick<Held, 'command' | 'keys'>): void {
    if (command.change.kind === 'clear') this.#isAll = true;
    for (const key of keys) this.#keys.add(key);
  }

  touches({ command, keys }: Held): boolean {
    if (this.#isAll || command.change.kind === 'clear') return !this.isNothing;
    return keys.some((key) => this.#keys.has(key));
  }
}

function nameOf(session: string, seq: number): string {
  return `${session}:${seq}`;
}

export class Outbox {
  readonly #held = new Map<string, Held>();

  get size(): number {
    return this.#held.size;
  }

  /** In their order. */
  all(): IterableIterator<Held> {
    return this.#held.values();
  }

  push(session: string, seq: number, command: Command, appliedAt: number): void {
    const keys = alteredBy(command.change);
    this.put({ session, seq, command, keys, appliedAt, isSent: false });
  }

  /** Puts a command behind all others. */
  put(held: Held): void {
    this.#held.set(nameOf(held.session, held.seq), held);
  }

  /** Takes a command out, because the stream has it. */
  take(session: string, seq: number): Held | undefined {
    const name = nameOf(session, seq);
    const held = this.#held.get(name);
    this.#held.delete(name);
    return held;
  }

  clear(): void {
    this.#held.clear();
  }

  /** The connection is another one: nobody knows what the engine has of what it was handed. */
  forgetSent(): void {
    for (const held of this.#held.values()) held.isSent = false;
  }

  /** The next commands for the engine; undefined: it was handed all. */
  nextBatch(): Batch | undefined {
    const held: Held[] = [];
    const texts: string[] = [];
    let bytes = 0;
    for (const each of this.#held.values()) {
      if (each.isSent) continue;
      const last = held.at(-1);
      const follows =
        last === undefined || (each.session === last.session && each.seq === last.seq + 1);
      if (!follows || held.length === entryCommandsMax || bytes >= entryBytesMax) break;
      const text = JSON.stringify(commandFields(each.command));
      held.push(each);
      texts.push(text);
      bytes += text.length;
    }
    const [first] = held;
    if (first === undefined) return undefined;
    return { held, session: first.session, seq: first.seq, text: `[${texts.join(',')}]` };
  }
}
