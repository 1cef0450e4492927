/**
 * The unix socket that the console listens on, mode 0600 from its first moment. A socket file that a
 * dead server has left is removed; a live server's is respected, so that two servers never share a
 * data folder. Knows nothing of the messages.
 */
import { lstat, rename, unlink } from 'node:fs/promises';
import { createConnection, type Server } from 'node:net';
import { dirname, relative, resolve } from 'node:path';
import { describeFileError } from '../config/fault.ts';

/** Whether the server listens now, or a sentence saying why it cannot. */
export type Listening = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** The least that the systems we know allow for the path of a socket, in bytes. */
const pathBytesMax = 103;

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The spelling of a socket's path that fits in an address; undefined when none does. */
export function socketPath(file: string): string | undefined {
  const spellings = [file, resolve(file), relative(process.cwd(), file)];
  return spellings.find((path) => path !== '' && Buffer.byteLength(path) <= pathBytesMax);
}

/** The sentence for a path that `socketPath` cannot spell. */
export function pathTooLong(file: string): string {
  return `the path of the console socket ${file} is longer than ${pathBytesMax} bytes; choose a data folder with a shorter path`;
}

function probe(path: string): Promise<'live' | 'stale' | 'absent'> {
  return new Promise((done) => {
    const socket = createConnection(path);
    socket.on('error', (error) => done(errorCode(error) === 'ENOENT' ? 'absent' : ofError(error)));
    socket.on('connect', () => {
      socket.destroy();
      done('live');
    });
  });
}

/** Only a refusal proves that nobody listens; a full queue or a foreign owner does not. */
function ofError(error: unknown): 'live' | 'stale' {
  return errorCode(error) === 'ECONNREFUSED' ? 'stale' : 'live';
}

function another(path: string): Listening {
  const message = `another wormgate is running on this data folder (${dirname(resolve(path))})`;
  return { ok: false, message };
}

/**
 * Takes a dead server's socket file away. It is moved aside first and probed once more there: of two
 * servers that start at the same moment one may already have put its live socket in that place.
 */
async function removeStale(path: string): Promise<Listening> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
    if ((await probe(aside)) === 'live') {
      await rename(aside, path);
      return another(path);
    }
    await unlink(aside);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') {
      return { ok: false, message: `${path}: ${describeFileError(error)}` };
    }
  }
  return { ok: true };
}

async function makeRoom(path: string): Promise<Listening> {
  try {
    if (!(await lstat(path)).isSocket()) {
      return { ok: false, message: `${path} is in the way: it is not a socket` };
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { ok: true };
    return { ok: false, message: `${path}: ${describeFileError(error)}` };
  }
  const state = await probe(path);
  if (state === 'live') return another(path);
  return state === 'stale' ? await removeStale(path) : { ok: true };
}

/**
 * Node binds a path within the call of `listen`, so a umask around the call makes the file with mode
 * 0600; a chmod afterwards would leave a moment in which others could connect.
 */
function bind(server: Server, path: string): Promise<Listening> {
  return new Promise((done) => {
    const failed = (error: Error) => {
      const inUse = errorCode(error) === 'EADDRINUSE';
      done(inUse ? another(path) : { ok: false, message: `${path}: ${describeFileError(error)}` });
    };
    server.once('error', failed);
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', failed);
        done({ ok: true });
      });
    } finally {
      process.umask(before);
    }
  });
}

/** Binds `server` to `file`. */
export async function listenPrivately(server: Server, file: string): Promise<Listening> {
  const path = socketPath(file);
  if (path === undefined) return { ok: false, message: pathTooLong(file) };
  const room = await makeRoom(path);
  return room.ok ? await bind(server, path) : room;
}
