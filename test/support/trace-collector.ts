/** A collector of spans, over OTLP/HTTP with protobuf, that answers as the test says. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Cleanup } from './cleanup.ts';
import { listening } from './listening.ts';
import { type ReceivedSpan, readSpans } from './otlp-reader.ts';

export interface CollectedPost {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly spans: readonly ReceivedSpan[];
}

/** What a POST is answered; undefined: nothing. */
type CollectorAnswer = { readonly status: number; readonly content?: Buffer } | undefined;

export interface TraceCollector {
  readonly port: number;
  readonly posts: readonly CollectedPost[];
  /** The next answers, then 200 for ever. */
  readonly answers: CollectorAnswer[];
  /** Of all posts that were answered 200. */
  readonly spans: readonly ReceivedSpan[];
}

export async function startTraceCollector(
  test: Cleanup,
  options: { readonly port?: number } = {},
): Promise<TraceCollector> {
  const posts: CollectedPost[] = [];
  const answers: CollectorAnswer[] = [];
  const spans: ReceivedSpan[] = [];
  const server = createServer(async (request, response) => {
    const { url = '', headers } = request;
    const post = { url, headers, spans: readSpans(await buffer(request)) };
    posts.push(post);
    const answer = answers.length > 0 ? answers.shift() : { status: 200 };
    if (answer === undefined) return;
    if (answer.status === 200) spans.push(...post.spans);
    response.writeHead(answer.status, { 'Content-Type': 'application/x-protobuf' });
    response.end(answer.content ?? '');
  });
  const port = await listening(test, server, options.port);
  return { port, posts, answers, spans };
}
