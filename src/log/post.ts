/**
 * One POST to a receiver of events or spans, over a kept-alive connection if there is one. Certificates
 * are verified.
 */
import http from 'node:http';
import https from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import type { Clock } from '../clock.ts';
import type { PostOutcome } from './post-retry.ts';

/** What is POSTed, and where. */
export interface Post {
  readonly url: string;
  /** Beside Content-Length and User-Agent. */
  readonly headers: Readonly<Record<string, string>>;
  /** A text is ASCII. */
  readonly body: string | Uint8Array;
  readonly timeoutMs: number;
}

/** Never rejects; an aborted one has failed. */
export type SendPost = (post: Post, signal: AbortSignal) => Promise<PostOutcome>;

export interface PosterOptions {
  readonly clock: Clock;
  /** The addresses of a name; rejects when none is known. */
  readonly lookUp: (host: string) => Promise<readonly string[]>;
}

/** Of an answer's content no more than this is read; a connection with more of it is not used again. */
const answerBytesMax = 64 * 1024;

export class Poster {
  readonly #options: PosterOptions;
  readonly #plainAgent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #tlsAgent = new https.Agent({ keepAlive: true, maxSockets: 1 });

  constructor(options: PosterOptions) {
    this.#options = options;
  }

  readonly post: SendPost = async (post, signal) => {
    const first = await this.#try(post, signal);
    // It had given up the connection before the POST came: that says nothing about the receiver.
    return first.isStale && !signal.aborted
      ? (await this.#try(post, signal)).outcome
      : first.outcome;
  };

  /** Lets kept-alive connections go. */
  close(): void {
    this.#plainAgent.destroy();
    this.#tlsAgent.destroy();
  }

  #try(post: Post, signal: AbortSignal): Promise<{ outcome: PostOutcome; isStale: boolean }> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const request = this.#begin(post, signal);
      let answer: PostOutcome | undefined;
      const timer = clock.after(post.timeoutMs, () => {
        request.destroy(new Error(`no answer within ${post.timeoutMs / 1000} s`));
      });
      const end = (reason: string, isStale = false) => {
        timer.cancel();
        resolve({ outcome: answer ?? { kind: 'failed', reason }, isStale });
      };
      request.on('error', (error) => {
        end(error.message || 'the connection failed', request.reusedSocket && isReset(error));
      });
      request.on('close', () => end('the connection was closed'));
      request.on('response', (response) => {
        const { statusCode: status = 0, headers } = response;
        const retryAfter = headers['retry-after'];
        answer = { kind: 'answered', status, retryAfter };
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > answerBytesMax) response.destroy();
        });
        // The status counts, whatever becomes of the content.
        response.on('error', () => {});
        response.on('end', () => {
          answer = { kind: 'answered', status, retryAfter, content: Buffer.concat(chunks) };
          end('');
        });
      });
      request.end(post.body);
    });
  }

  #begin({ url, headers, body }: Post, signal: AbortSignal): http.ClientRequest {
    const options = {
      method: 'POST',
      signal,
      lookup: this.#lookUp,
      headers: { ...headers, 'Content-Length': body.length, 'User-Agent': 'wormgate' },
    };
    if (new URL(url).protocol === 'http:') {
      return http.request(url, { ...options, agent: this.#plainAgent });
    }
    // Said, because an environment variable would switch it off otherwise.
    return https.request(url, { ...options, agent: this.#tlsAgent, rejectUnauthorized: true });
  }

  /** As the origins' names are: a name server that hangs must not hold threads that write logs. */
  readonly #lookUp: LookupFunction = (host, options, callback) => {
    this.#options.lookUp(host).then(
      (addresses) => {
        const found = addresses.map((address) => {
          return { address, family: isIPv6(address) ? 6 : 4 };
        });
        const [first = { address: '', family: 4 }] = found;
        if (options.all === true) callback(null, found);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, []),
    );
  };
}

function isReset(error: Error): boolean {
  const code = 'code' in error ? error.code : '';
  return code === 'ECONNRESET' || code === 'EPIPE';
}
