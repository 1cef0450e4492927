/**
 * The fleet's keys in Valkey or Redis, as commands. All keys have one hash tag, so that transactions over
 * them are allowed everywhere:
 *
 * - `{PREFIX}:stream`: the commands in their order.
 * - `{PREFIX}:snapshot`: which snapshot there is; its parts, compressed, in `{PREFIX}:snapshot:ID:N`.
 * - `{PREFIX}:lock`: who writes a snapshot.
 * - `{PREFIX}:nodes`, `{PREFIX}:alive`: nodes.ts. `{PREFIX}:tally:N`: tallies.ts.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { isPosition, isStamp } from './command.ts';
import {
  EngineLost,
  type NewSnapshot,
  type SnapshotMark,
  type Store,
  type StreamEntry,
} from './store.ts';
import type { Connection, Reply } from './valkey.ts';

const lockMs = 30_000;
/** Parts that no mark names yet, and those that none names any more, are gone after this. */
const orphanSeconds = 300;
const partBytes = 512 * 1024;
/** Far above what a million patterns take: what others have written must not ask for any memory. */
const partsMax = 1_024;
const snapshotBytesMax = 512 * 1024 * 1024 - 1024;
const entriesPerRead = 100;

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** The name of a key. */
export function keyOf(prefix: string, name: string): string {
  return `{${prefix}}:${name}`;
}

/** A reply that is text; empty when it is none. */
export function textOf(reply: Reply | undefined): string {
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : '';
}

/** A reply that is a list; empty when it is none. */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}

function entriesOf(reply: Reply | undefined): StreamEntry[] {
  return listOf(reply).map((each) => {
    const [position, fields] = listOf(each);
    const flat = listOf(fields).map(textOf);
    const pairs = flat.flatMap((name, at) =>
      at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : [],
    );
    return { position: textOf(position), fields: new Map(pairs) };
  });
}

function markOf(text: string): SnapshotMark | undefined {
  try {
    const { id, parts, position, epoch, count }: Record<string, unknown> = JSON.parse(text);
    if (typeof id !== 'string' || !isStamp(parts) || parts > partsMax) return undefined;
    if (!isPosition(position)) return undefined;
    return isStamp(epoch) && isStamp(count) ? { id, parts, position, epoch, count } : undefined;
  } catch {
    return undefined;
  }
}

/** `reader` waits for the stream, `writer` does everything else. */
export class ValkeyStore implements Store {
  readonly #reader: Connection;
  readonly #writer: Connection;
  readonly #prefix: string;
  readonly #bytesMax: number;

  /** `bytesMax`: what a snapshot unpacks to at most. */
  constructor(reader: Connection, writer: Connection, prefix: string, bytesMax = snapshotBytesMax) {
    this.#bytesMax = bytesMax;
    this.#reader = reader;
    this.#writer = writer;
    this.#prefix = prefix;
  }

  async run(): Promise<string> {
    const info = textOf(await this.#writer.call(['INFO', 'server']));
    const run = /^run_id:(\w+)/m.exec(info)?.[1];
    if (run === undefined) throw new EngineLost('the engine does not tell its run_id');
    return run;
  }

  async mark(): Promise<SnapshotMark | undefined> {
    return markOf(textOf(await this.#writer.call(['GET', this.#key('snapshot')])));
  }

  async snapshot({ id, parts }: SnapshotMark): Promise<string[] | undefined> {
    const texts: Buffer[] = [];
    for (let part = 0; part < parts; part += 1) {
      const found = await this.#writer.call(['GET', this.#part(id, part)]);
      if (!Buffer.isBuffer(found)) return undefined;
      texts.push(found);
    }
    try {
      const text = (
        await expand(Buffer.concat(texts), { maxOutputLength: this.#bytesMax })
      ).toString('utf8');
      return text === '' ? [] : text.split('\n');
    } catch {
      return undefined;
    }
  }

  async hasEntry(position: string): Promise<boolean> {
    const range = ['XRANGE', this.#key('stream'), position, position, 'COUNT', '1'];
    return listOf(await this.#writer.call(range)).length > 0;
  }

  async read(after: string, waitMs: number): Promise<StreamEntry[]> {
    const blocking = waitMs > 0 ? ['BLOCK', String(waitMs)] : [];
    const streams = ['STREAMS', this.#key('stream'), after];
    const reply = await this.#reader.call(
      ['XREAD', 'COUNT', String(entriesPerRead), ...blocking, ...streams],
      waitMs,
    );
    const [stream] = listOf(reply);
    return entriesOf(listOf(stream)[1]);
  }

  async append(fields: Readonly<Record<string, string>>): Promise<void> {
    await this.#writer.call(['XADD', this.#key('stream'), '*', ...Object.entries(fields).flat()]);
  }

  async laterThan(than: string): Promise<string> {
    const last = ['XREVRANGE', this.#key('stream'), '+', '-', 'COUNT', '1'];
    const [entry] = entriesOf(await this.#writer.call(last));
    const [seconds] = listOf(await this.#writer.call(['TIME'])).map(textOf);
    const times = [entry?.position, than].map((position) => Number(position?.split('-')[0] ?? 0));
    return `${Math.max(Number(seconds) * 1000, ...times.map((time) => time + 1))}-0`;
  }

  async lock(token: string): Promise<boolean> {
    const set = ['SET', this.#key('lock'), token, 'NX', 'PX', String(lockMs)];
    return (await this.#writer.call(set)) !== null;
  }

  async unlock(token: string): Promise<void> {
    // Should it have expired in between, somebody else's is taken away: publishing looks at it again.
    const held = textOf(await this.#writer.call(['GET', this.#key('lock')]));
    if (held === token) await this.#writer.call(['DEL', this.#key('lock')]);
  }

  async publish({ mark, lines, token, epoch }: NewSnapshot): Promise<boolean> {
    const packed = await compress(Buffer.from(lines.join('\n'), 'utf8'), { level: 1 });
    const parts = Math.max(1, Math.ceil(packed.length / partBytes));
    const keys = Array.from({ length: parts }, (_, part) => this.#part(mark.id, part));
    for (const [part, key] of keys.entries()) {
      const bytes = packed.subarray(part * partBytes, (part + 1) * partBytes);
      await this.#writer.call(['SET', key, bytes, 'EX', String(orphanSeconds)]);
    }
    // Where a new epoch begins, nothing may come before it.
    const watched = epoch === undefined ? ['lock'] : ['lock', 'stream'];
    await this.#writer.call(['WATCH', ...watched.map((name) => this.#key(name))]);
    const held = textOf(await this.#writer.call(['GET', this.#key('lock')]));
    const before = await this.mark();
    if (held !== token) {
      await this.#writer.call(['UNWATCH']);
      return false;
    }
    const done = await this.#writer.transaction([
      ...keys.map((key) => ['PERSIST', key]),
      ['SET', this.#key('snapshot'), JSON.stringify({ ...mark, parts })],
      ...(epoch === undefined
        ? []
        : [['XADD', this.#key('stream'), mark.position, ...Object.entries(epoch).flat()]]),
      ...Array.from({ length: before?.parts ?? 0 }, (_, part) => {
        return ['EXPIRE', this.#part(before?.id ?? '', part), String(orphanSeconds)];
      }),
    ]);
    return done !== null;
  }

  async trim(position: string): Promise<void> {
    await this.#writer.call(['XTRIM', this.#key('stream'), 'MINID', position]);
  }

  #key(name: string): string {
    return keyOf(this.#prefix, name);
  }

  #part(id: string, part: number): string {
    return this.#key(`snapshot:${id}:${part}`);
  }
}
