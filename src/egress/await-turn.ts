/** Waits for a host's turn at the virus throttle, as long as the client is there. */
import type { Socket } from 'node:net';
import type { SourceAdmission, ThrottledSources, Turn } from '../throttle/sources.ts';

/** What became of it; `gone`: the client has left, and with it its place in the queue. */
export type TurnOutcome = Exclude<SourceAdmission, 'queued'> | 'stopping' | 'gone';

/** `awaitTurn` of the connections that the proxy itself makes; `host`: an address. */
export type AwaitTurn = (
  host: string,
  socket: Socket,
  onDelayed: () => void,
) => Promise<TurnOutcome>;

/** `source` wants to connect to `host`, an address; `onDelayed`: it has to wait. */
export function awaitTurn(
  sources: ThrottledSources,
  { source, host }: { readonly source: string; readonly host: string },
  socket: Socket,
  onDelayed: () => void,
): Promise<TurnOutcome> {
  // It may have left while its host's name was looked up: then no `close` follows.
  if (socket.destroyed) return Promise.resolve('gone');
  return new Promise((resolve) => {
    const turn: Turn = {
      go: () => {
        socket.removeListener('close', leave);
        resolve('passed');
      },
      refuse: (why) => {
        socket.removeListener('close', leave);
        resolve(why);
      },
    };
    const leave = () => {
      sources.abandon(source, turn);
      resolve('gone');
    };
    const admission = sources.admit(source, host, turn);
    if (admission !== 'queued') return resolve(admission);
    onDelayed();
    socket.once('close', leave);
  });
}
