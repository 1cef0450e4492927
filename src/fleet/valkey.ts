/**
 * One connection to the engine: commands in, replies out; the only file that imports the client library,
 * and itself loaded only when a fleet is configured. A command that takes too long, or a connection that
 * breaks, ends it for good: whoever uses it makes another one.
 */
import { createClient, RESP_TYPES } from 'redis';
import { describeError } from '../config/fault.ts';
import { EngineLost, EngineRefusal } from './store.ts';

export interface ConnectionOptions {
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly user: string;
  readonly password: string;
  readonly ca: string | undefined;
  readonly timeoutMs: number;
}

/** A reply as RESP2 has it; texts are what the bytes are. */
export type Reply = Buffer | number | null | readonly Reply[];

export interface Connection {
  /** Sends a command; rejects with EngineLost or EngineRefusal. `waitMs`: the engine may wait so long. */
  call(parts: readonly (string | Buffer)[], waitMs?: number): Promise<Reply>;
  /** Sends commands as one transaction; the replies, or null when what was watched has changed. */
  transaction(commands: readonly (readonly (string | Buffer)[])[]): Promise<Reply>;
  /** Ends it; what is under way rejects with `why`. */
  close(why?: Error): void;
}

/** What the engine says when it is there and will not: it ends no connection. */
const refusals =
  /^(?:OOM|READONLY|NOPERM|MISCONF|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|WRONGTYPE|ERR|BUSY|EXECABORT)\b/;

const settledQuietly = () => {};

/** An error of the engine as one of ours. */
function failureOf(error: unknown): Error {
  if (error instanceof EngineLost || error instanceof EngineRefusal) return error;
  const reason = describeError(error);
  return refusals.test(reason) ? new EngineRefusal(reason) : new EngineLost(reason);
}

function clientOf(options: ConnectionOptions) {
  const { isTls, host, port, database, user, password, ca, timeoutMs } = options;
  const socket = { host, port, connectTimeout: timeoutMs, reconnectStrategy: false } as const;
  return createClient({
    RESP: 2,
    socket: isTls
      ? { ...socket, tls: true, servername: host, ...(ca !== undefined && { ca }) }
      : socket,
    database,
    ...(user !== '' && { username: user }),
    ...(password !== '' && { password }),
    disableOfflineQueue: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer }, timeout: 0 },
  });
}

/**
 * Connects, or rejects with EngineLost, which `signal` brings about at once. `onEnd` is told once why the
 * connection is over.
 */
export async function connect(
  options: ConnectionOptions,
  onEnd: (why: Error) => void,
  signal: AbortSignal,
): Promise<Connection> {
  signal.throwIfAborted();
  const client = clientOf(options);
  let failure: Error | undefined;
  const pending = new Set<(error: Error) => void>();
  const end = (error: Error) => {
    if (failure !== undefined) return;
    failure = error;
    if (client.isOpen) client.destroy();
    for (const reject of pending) reject(error);
    pending.clear();
    onEnd(error);
  };
  client.on('error', (error: unknown) => end(new EngineLost(describeError(error))));
  client.on('end', () => end(new EngineLost('the connection was closed')));

  /** The outcome, or EngineLost after a while. */
  const bounded = <T>(work: Promise<T>, waitMs: number): Promise<T> => {
    // It may fail when nobody waits for it any more.
    work.catch(settledQuietly);
    return new Promise<T>((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      pending.add(reject);
      const timer = setTimeout(
        () => end(new EngineLost(`no answer within ${options.timeoutMs / 1000} seconds`)),
        options.timeoutMs + waitMs,
      );
      timer.unref();
      work
        .then(resolve, (error: unknown) => {
          const known = failureOf(error);
          if (known instanceof EngineLost) end(known);
          reject(known);
        })
        .finally(() => {
          clearTimeout(timer);
          pending.delete(reject);
        });
    });
  };

  signal.addEventListener('abort', () => end(new EngineLost('it is not wanted any more')));
  await bounded(client.connect(), 0);
  const send = (parts: readonly (string | Buffer)[]) => {
    if (failure !== undefined) return Promise.reject(failure);
    const reply = client.sendCommand<Reply>(parts);
    reply.catch(settledQuietly);
    return reply;
  };
  return {
    call: (parts, waitMs = 0) => bounded(send(parts), waitMs),
    transaction: (commands) => {
      const queued = [send(['MULTI']), ...commands.map(send)];
      return bounded(
        send(['EXEC']).catch(async (error: unknown) => {
          // The first command that was refused says why.
          await Promise.all(queued);
          throw error;
        }),
        0,
      );
    },
    close: (why = new EngineLost('the connection was closed')) => end(why),
  };
}
