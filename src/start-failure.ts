/**
 * What keeps a server from starting, in sentences for the operator: a listen address or a data folder
 * that the operating system refuses. Knows the system's error codes and nothing else.
 */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { describeError, describeFileError } from './config/fault.ts';
import type { HostPort } from './config/shape.ts';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is taken; something listens there already',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'not allowed; a port below 1024 needs root or the capability CAP_NET_BIND_SERVICE',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
};

/** An error whose message says which address cannot be listened on, and why. */
export function listenFailure({ host, port }: HostPort, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const place = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const reason = reasons[code] ?? describeError(error);
  return new Error(`cannot listen on ${place}: ${reason}`, { cause: error });
}

/** An error whose message says that the data folder cannot be made, and why. */
export function dataFolderFailure(folder: string, error: unknown): Error {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
  const reason = isTaken ? 'a file of that name is in the way' : describeFileError(error);
  return new Error(`cannot make the data folder ${resolve(folder)}: ${reason}`, { cause: error });
}
