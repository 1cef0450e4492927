/** An HTTP/2 client of a test's own, over Node's; closed when the test is over. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Cleanup } from './cleanup.ts';

export interface H2Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string | string[] | undefined>>;
  /** Interim answers that came before, by status. */
  readonly interim: readonly number[];
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string | string[] | undefined>>;
}

export class H2Client {
  readonly session: ClientHttp2Session;
  /** The code of the GOAWAY that was received. */
  goaway: number | undefined;
  closed = false;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', () => {});
    session.on('goaway', (code) => {
      this.goaway = code;
    });
    session.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(test: Cleanup, port: number, servername = 'site.test'): Promise<H2Client> {
    // In MB: what the test itself sends counts as well.
    const options = { rejectUnauthorized: false, servername, maxSessionMemory: 1000 };
    const session = connect(`https://127.0.0.1:${port}`, options);
    test.after(() => session.destroy());
    const client = new H2Client(session);
    await once(session, 'remoteSettings');
    return client;
  }

  /** Begins a request; `:authority` is site.test unless the fields have another. */
  open(fields: OutgoingHttpHeaders, hasBody = false): ClientHttp2Stream {
    const all = { ':authority': 'site.test', ':scheme': 'https', ...fields };
    const stream = this.session.request(all, { endStream: !hasBody });
    stream.on('error', () => {});
    return stream;
  }

  /** Sends a request and reads its answer; `body` in one piece. */
  async ask(fields: OutgoingHttpHeaders, body?: string | Buffer): Promise<H2Answer> {
    const stream = this.open(fields, body !== undefined);
    if (body !== undefined) stream.end(body);
    return await readH2Answer(stream);
  }
}

/** The answer of a stream; rejects with the code when the stream is reset before its end. */
export async function readH2Answer(stream: ClientHttp2Stream): Promise<H2Answer> {
  const chunks: Buffer[] = [];
  const interim: number[] = [];
  let fields: H2Answer['fields'] = {};
  let trailers: H2Answer['trailers'] = {};
  stream.on('headers', (head) => interim.push(Number(head[':status'])));
  stream.on('response', (head) => {
    fields = head;
  });
  stream.on('trailers', (lines) => {
    trailers = lines;
  });
  stream.on('data', (chunk) => chunks.push(chunk));
  const wasReset = await new Promise<boolean>((resolve) => {
    stream.once('end', () => resolve(fields[':status'] === undefined));
    stream.once('close', () => resolve(stream.rstCode !== 0 || fields[':status'] === undefined));
  });
  if (wasReset) throw new Error(`the stream was reset with ${stream.rstCode}`);
  return {
    status: Number(fields[':status']),
    fields,
    interim,
    body: Buffer.concat(chunks),
    trailers,
  };
}
