/**
 * A worker process: a data plane that does what the primary asks and reports what happens. Heeds no signals but
 * the primary's messages, so that one sent to the whole group drains it once; ends with the primary, because
 * the channel between them does.
 */
import type { ListedAnswer, StoreListing } from './cache/store.ts';
import { systemClock } from './clock.ts';
import { describeError } from './config/fault.ts';
import type { Certificate, Settings } from './config/shape.ts';
import { DataPlane } from './data-plane.ts';
import { NameServers } from './egress/name-servers.ts';
import {
  type Ask,
  type Asks,
  type Down,
  type InitialState,
  messagesVersion,
  type Up,
} from './fleet/messages.ts';
import { type Packed, pack, unpack } from './fleet/packing.ts';
import { RemoteTurns } from './fleet/remote-turns.ts';
import { Reporter } from './fleet/reporter.ts';
import { settingsOfWorker } from './fleet/worker-settings.ts';
import { shareTicketKeys } from './http/tls-handshakes.ts';
import { makeResolver } from './name-lookups.ts';
import { WorkerParts } from './worker-parts.ts';

/** In the environment of workers. */
export const workerMark = 'WORMGATE_WORKER';

/** Whether this process is a worker. */
export function isWorkerProcess(): boolean {
  return process.env[workerMark] !== undefined && process.send !== undefined;
}

/** Serves until the primary ends it. */
export function runWorker(): Promise<never> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  let worker: WorkerProcess | undefined;
  process.on('message', (packed: Packed) => {
    const message = unpack<Down>(packed);
    if (message.kind === 'state') {
      if (message.version !== messagesVersion) process.exit(1);
      worker = new WorkerProcess(message);
    } else worker?.take(message);
  });
  send({ kind: 'hello', version: messagesVersion });
  return new Promise(() => {});
}

function send(message: Up): void {
  // Without the primary there is nobody to tell, and this process is about to end.
  if (process.connected) process.send?.(pack(message), undefined, undefined, () => {});
}

class WorkerProcess {
  readonly #parts: WorkerParts;
  readonly #plane: DataPlane;
  readonly #turns: RemoteTurns;
  readonly #reporter: Reporter;
  readonly #nameServers = new NameServers();
  #settings: Settings;
  #forgotten: string[] = [];
  #isEnding = false;

  constructor(state: InitialState) {
    const clock = systemClock;
    this.#settings = settingsOfWorker(state.settings);
    const settings = () => this.#settings;
    const parts = new WorkerParts({
      state: { ...state, settings: this.#settings },
      settings,
      clock,
      onMuch: () => this.#reporter.hurry(),
    });
    this.#parts = parts;
    this.#turns = new RemoteTurns({
      isOn: () => this.#settings.throttle.enable,
      admit: (id, host) => send({ kind: 'admit', id, host }),
      leave: (id) => send({ kind: 'leave', id }),
      onPassed: (host) => parts.noteOpening(host),
    });
    const nameServers = this.#nameServers;
    this.#plane = new DataPlane(this.#settings, {
      ...parts.forPlane(),
      nameServers,
      clock,
      sharesListeners: true,
      resolver: makeResolver({ settings, clock, nameServers }),
      awaitTurn: (host, socket) => this.#turns.await(host, socket),
      onForgotten: (key) => this.#noteForgotten(key),
      warn: (sentence) => send({ kind: 'warn', sentence }),
    });
    this.#reporter = new Reporter({
      clock,
      hasNews: () => parts.hasNews,
      msLeft: () => parts.msLeft(),
      send: () => this.#report(),
    });
    this.#reporter.start();
  }

  take(message: Exclude<Down, { kind: 'state' }>): void {
    switch (message.kind) {
      case 'ask':
        void this.#answer(message.ask);
        return;
      case 'taken':
        this.#parts.hitRates.align(message.intervalStartMs);
        this.#reporter.noteTaken();
        return;
      case 'watch':
        this.#parts.watched.watch(message.startMs, message.windows);
        return;
      case 'unwatch':
        this.#parts.watched.unwatch(message.startMs, message.ids);
        return;
      case 'forget':
        for (const key of message.keys) this.#plane.caching.deliveries.drop(key);
        return;
      case 'turn':
        this.#turns.noteAnswer(message.id, message.outcome);
        return;
      case 'known':
        this.#turns.noteKnown(message.hosts);
        return;
      case 'origins':
        for (const change of message.changes) this.#plane.origins.noteElsewhere(...change);
        return;
      case 'tickets':
        shareTicketKeys(Buffer.from(message.keys));
        return;
      case 'draining':
        this.#plane.noteDraining();
    }
  }

  async #answer(ask: Ask): Promise<void> {
    const { id, kind } = ask;
    const answer = <K extends keyof Asks>(of: K, value: Asks[K]['answer']) =>
      send({
        kind: 'answer',
        id,
        answer: { of, value } as Extract<Up, { kind: 'answer' }>['answer'],
      });
    const { caching } = this.#plane;
    switch (kind) {
      case 'listen':
        return answer(kind, await failureOf(this.#plane.start()));
      case 'change':
        this.#parts.change(ask.body);
        return answer(kind, null);
      case 'prepare':
        return answer(kind, await failureOf(this.#plane.prepare(settingsOfWorker(ask.body))));
      case 'abandon':
        await this.#plane.abandon();
        return answer(kind, null);
      case 'adopt':
        this.#settings = settingsOfWorker(ask.body);
        this.#plane.adopt(this.#settings);
        return answer(kind, null);
      case 'certificates':
        this.#plane.renewCertificates(newestOf(ask.body));
        return answer(kind, null);
      case 'report':
        await this.#reporter.flush();
        return answer(kind, null);
      case 'list':
        return answer(kind, caching.store.list(ask.body.order, ask.body.max).map(listedOf));
      case 'purge':
        return answer(kind, caching.deliveries.purgeUrl(ask.body.url, ask.body.isPrefix));
      case 'drain':
        return await this.#drain(ask.body.drainMs, () => answer(kind, null));
    }
  }

  async #drain(drainMs: number, done: () => void): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#plane.close(drainMs);
    await this.#plane.end();
    this.#nameServers.close();
    await this.#reporter.flush();
    this.#reporter.close();
    done();
  }

  #report(): void {
    const { caching, origins } = this.#plane;
    const report = this.#parts.report({ cache: caching.store.totals, origins: origins.rows() });
    send({ kind: 'report', report });
  }

  /** Others are told at once, of all that one turn of the event loop has brought. */
  #noteForgotten(key: string): void {
    this.#forgotten.push(key);
    if (this.#forgotten.length > 1) return;
    setImmediate(() => {
      send({ kind: 'forgotten', keys: this.#forgotten });
      this.#forgotten = [];
    });
  }
}

function listedOf({ key, answer }: StoreListing): ListedAnswer {
  const { uses, status, bornMs, responseMs, freshUntilMs, body } = answer;
  return {
    key,
    answer: { uses, status, bornMs, responseMs, freshUntilMs, body: { length: body.length } },
  };
}

async function failureOf(action: Promise<void>): Promise<{ failure: string | undefined }> {
  try {
    await action;
    return { failure: undefined };
  } catch (error) {
    return { failure: describeError(error) };
  }
}

function newestOf(certificates: readonly Certificate[]) {
  const keyOf = ({ certificateFile, keyFile }: Certificate) => `${certificateFile}\0${keyFile}`;
  const byFiles = new Map(certificates.map((each) => [keyOf(each), each]));
  return (certificate: Certificate) => byFiles.get(keyOf(certificate)) ?? certificate;
}
