/** Finds a line in the end of a log, reading backwards in pieces; never the whole of a long one. */
import { type FileHandle, open } from 'node:fs/promises';

const pieceBytes = 262_144;

/** So much of the end is looked through. */
export const searchedBytesMax = 16_777_216;

/** The last line, latin1, that ends in `ending`; undefined when the searched end has none, or no file is there. */
export async function findLineEndingIn(
  file: string,
  ending: string,
  bytesMax = searchedBytesMax,
): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    return await search(handle, `${ending}\n`, bytesMax);
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

async function search(
  handle: FileHandle,
  ending: string,
  bytesMax: number,
): Promise<string | undefined> {
  const { size } = await handle.stat();
  const start = Math.max(0, size - bytesMax);
  // The beginning of a line that is in the piece before.
  let rest = '';
  for (let end = size; end > start; ) {
    const from = Math.max(start, end - pieceBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - from), 0, end - from, from);
    const text = buffer.toString('latin1', 0, bytesRead) + rest;
    const found = text.lastIndexOf(ending);
    const lineStart = found < 0 ? -1 : text.lastIndexOf('\n', found - 1) + 1;
    if (found >= 0 && (lineStart > 0 || from === 0)) {
      return text.slice(lineStart, found + ending.length - 1);
    }
    // Lines are short: what is kept is a line's beginning, or the whole line that was found cut.
    rest = text.slice(0, found >= 0 ? found + ending.length : firstLineEnd(text));
    end = from;
  }
  return undefined;
}

function firstLineEnd(text: string): number {
  const end = text.indexOf('\n');
  return end < 0 ? text.length : end + 1;
}
