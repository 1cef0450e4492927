/** Scenarios of answers: what an origin says, piece by piece, to every kind of request, and how it ends. */
import { type LaneCall, type LaneScript, originDate } from './lane-origin.ts';
import { bytes, pause, type Scenario } from './lane-scenario.ts';

/** Sites of their own, so that what an origin does to its connections stays in one scenario. */
export const siteCount = 8;

/** So many sites that are all alike, for as many workers. */
export function separateSites(
  count: number,
  lines: readonly string[] = [],
): Record<string, readonly string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, lines]));
}

/** The sites, for `startLanePair`. */
export const sites = separateSites(siteCount);

/** The line that an origin's answer has. */
export const date = `Date: ${originDate}\r\n`;
/** Every kind of request that an answer may be read differently for. */
export const requestKinds = {
  'GET 1.1': 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n',
  'HEAD 1.1': 'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET 1.1 close': 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST 1.1': 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  'GET 1.0': 'GET /x HTTP/1.0\r\nHost: a\r\n\r\n',
  'HEAD 1.0': 'HEAD /x HTTP/1.0\r\nHost: a\r\n\r\n',
  'GET 1.0 keep-alive': 'GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
} as const;

/** What the origin does with the connection behind its answer. */
export type Ending = 'keeps' | 'closes' | 'closes later' | 'resets';

async function finish({ socket }: LaneCall, ending: Ending): Promise<void> {
  if (ending === 'closes') socket.end();
  if (ending === 'keeps') return;
  // What was written has gone on to the client by then.
  await pause(30);
  if (ending === 'closes later') socket.end();
  if (ending === 'resets') socket.resetAndDestroy();
}

/**
 * Says the parts one after the other, in packets of their own, once the request is here; to HEAD no
 * body, since what becomes of a connection with a surplus is a race.
 */
export function saying(parts: readonly string[], ending: Ending): LaneScript {
  return async (call) => {
    await call.complete;
    const said = call.method === 'HEAD' ? withoutBody(parts) : parts;
    for (const [index, part] of said.entries()) {
      if (index > 0) await pause(2);
      call.say(part);
    }
    await finish(call, ending);
  };
}

function withoutBody(parts: readonly string[]): string[] {
  const text = parts.join('');
  let at = /^[\r\n]*/.exec(text)?.[0].length ?? 0;
  const headEnd = () => text.indexOf('\r\n\r\n', at) + 4;
  while (/^HTTP\/1\.1 1(?!01)\d\d /.test(text.slice(at)) && headEnd() >= 4) at = headEnd();
  let left = headEnd() < 4 ? text.length : headEnd();
  return parts.flatMap((part) => {
    const said = part.slice(0, left);
    left -= said.length;
    return said === '' ? [] : [said];
  });
}

/** Every kind of request to an origin that answers so. */
export function answered(parts: readonly string[], ending: Ending = 'keeps'): Scenario[] {
  return Object.values(requestKinds).map((request) => ({
    ...bytes([request]),
    sent: `${request}|answered by|${parts.join('|')}|${ending}`,
    script: saying(parts, ending),
  }));
}
