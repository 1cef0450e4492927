/**
 * Reads access logs of any size as streams, plain or gzip, and hands over their lines. Files are read in
 * the order given; one that cannot be read is told and the others are read all the same.
 */
import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { describeFileError } from '../config/fault.ts';
import { LineCutter } from './log-line.ts';

/** The longest line that is read; the end of a longer one is thrown away. */
export const lineBytesMax = 65_536;

const chunkBytes = 262_144;

export interface LogReading {
  /** `-` is the standard input. */
  readonly files: readonly string[];
  /** A line is bytes[start, end), without its line end; `line` counts from 1 in each file. */
  readonly onLine: (bytes: Buffer, start: number, end: number, isCut: boolean) => void;
  /** Told of each file before its first line. */
  readonly onFile: (file: string) => void;
  /** Told how many bytes of the files, as they are on the disk, were read so far. */
  readonly onProgress: (bytesRead: number) => void;
  /** Told in a sentence what could not be read. */
  readonly complain: (sentence: string) => void;
}

/** The bytes of all files together; undefined when one of them has no size, as a pipe has none. */
export function totalBytes(files: readonly string[]): number | undefined {
  let total = 0;
  for (const file of files) {
    if (file === '-') return undefined;
    const status = statSync(file, { throwIfNoEntry: false });
    if (status?.isFile() === true) total += status.size;
    else if (status !== undefined) return undefined;
  }
  return total;
}

/** Reads all files; false when one of them could not be read to its end. */
export async function readLogs(reading: LogReading): Promise<boolean> {
  let allRead = true;
  let bytesRead = 0;
  for (const file of reading.files) {
    reading.onFile(file);
    const cutter = new LineCutter(lineBytesMax, reading.onLine);
    try {
      const source =
        file === '-' ? process.stdin : createReadStream(file, { highWaterMark: chunkBytes });
      const count = (byteCount: number) => {
        bytesRead += byteCount;
        reading.onProgress(bytesRead);
      };
      for await (const chunk of await unpacked(source, count)) cutter.push(chunk);
    } catch (error) {
      allRead = false;
      reading.complain(`${file}: ${describeReadError(error)}`);
    }
    cutter.end();
  }
  return allRead;
}

function describeReadError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') return 'the gzip file is cut off; what came before was read';
  if (code.startsWith('Z_')) return 'the gzip file is damaged; what came before was read';
  return `cannot be read: ${describeFileError(error)}`;
}

/** The chunks of a source, unpacked when it begins as gzip files do (RFC 1952 §2.3.1). */
async function unpacked(
  source: Readable,
  count: (byteCount: number) => void,
): Promise<AsyncIterable<Buffer>> {
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  let first = await chunks.next();
  while (!first.done && first.value.length < 2) {
    const more = await chunks.next();
    if (more.done) break;
    first = { done: false, value: Buffer.concat([first.value, more.value]) };
  }
  const counted = counting(first, chunks, count);
  const isGzip = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isGzip) return counted;
  const packed = Readable.from(counted, { objectMode: false, highWaterMark: chunkBytes });
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  packed.on('error', (error) => gunzip.destroy(error));
  return packed.pipe(gunzip);
}

async function* counting(
  first: IteratorResult<Buffer>,
  rest: AsyncIterator<Buffer>,
  count: (byteCount: number) => void,
): AsyncGenerator<Buffer> {
  for (let next = first; next.done !== true; next = await rest.next()) {
    count(next.value.length);
    yield next.value;
  }
}
