/** Reloads by SIGHUP, awaited by what the server tells about them on stderr. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { until, type Wormgate, type WormgateOptions } from './wormgate.ts';

/** Sends SIGHUP and waits until its outcome, taken over or refused, has been told; gives what was. */
export async function reload(wormgate: Wormgate, options?: WormgateOptions): Promise<string> {
  if (options !== undefined) wormgate.configure(options);
  const before = wormgate.stderr.length;
  wormgate.signal('SIGHUP');
  const told = () => wormgate.stderr.slice(before);
  await until(() => /in force\n|settings in force stay\n/.test(told()), 10_000, told);
  return told();
}

/** A reload that must be taken over, without a word besides. */
export async function taken(wormgate: Wormgate, options?: WormgateOptions): Promise<void> {
  const told = await reload(wormgate, options);
  assert.equal(told, `wormgate: ${wormgate.configFile} was read again and is in force\n`);
}

/** A reload that must be refused; gives the sentences that say why. */
export async function refused(wormgate: Wormgate, options?: WormgateOptions): Promise<string[]> {
  const told = (await reload(wormgate, options)).trimEnd().split('\n');
  const last = `wormgate: ${wormgate.configFile} was not taken over; the settings in force stay`;
  assert.equal(told.pop(), last);
  return told;
}

/** True when something accepts connections on a loopback port. */
export async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The section of PROXY.CFG with these patterns, original length 5, and further lines. */
export function patternSection(
  names: readonly string[],
  ...lines: readonly string[]
): Record<string, readonly string[]> {
  const patterns = names.map((name, index) => `Pattern${index + 1}="${name}",5`);
  const count = `NoOfVirusPatterns=${names.length}`;
  return { 'Virus Pattern Configuration': [count, ...patterns, ...lines] };
}
