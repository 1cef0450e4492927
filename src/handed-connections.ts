/**
 * Connections on their way from the primary to a worker. node:cluster waits until the worker has taken one over; if
 * the worker ends before, it would hold the connection for ever, and the client with it. Here it goes to another
 * worker. Relies on the messages of node:cluster; if they were others, nothing would happen.
 */
import type { Worker } from 'node:cluster';
import type { Clock } from './clock.ts';

interface ClusterMessage {
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
}

/** What a worker has told before its end is read in that time. */
const lookAgainMs = 20;

/** Hands on what `worker` has not taken over when it ends; `hasOther` false: there is no other, it is closed. */
export function handOnFrom(worker: Worker, hasOther: () => boolean, clock: Clock): void {
  const { process } = worker;
  /** The numbers of the messages that wait for an answer: one for each address at most. */
  const underWay = new Set<unknown>();
  const send: (...sent: never[]) => boolean = process.send.bind(process);
  process.send = (...sent: unknown[]) => {
    const { act, seq } = (sent[0] ?? {}) as ClusterMessage;
    if (act === 'newconn') underWay.add(seq);
    return send(...(sent as never[]));
  };
  process.on('internalMessage', ({ ack }: ClusterMessage) => underWay.delete(ack));
  let isDisconnected = false;
  process.once('disconnect', () => {
    isDisconnected = true;
  });
  const handOn = () => {
    if (worker.isConnected()) return void clock.after(lookAgainMs, handOn);
    // It does not come by itself while a connection is under way, and until it does others would follow.
    if (!isDisconnected) process.emit('disconnect');
    const accepted = !hasOther();
    for (const ack of [...underWay]) {
      process.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack, accepted });
    }
  };
  process.once('exit', () => clock.after(lookAgainMs, handOn));
}
