/** Spans on their way to a collector that takes them, is silent, refuses, is gone or comes back. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Cleanup } from '../support/cleanup.ts';
import { refusalOf } from '../support/otlp-reader.ts';
import { RawClient } from '../support/raw-client.ts';
import { reload, taken } from '../support/reload.ts';
import { startScriptedOrigin } from '../support/scripted-origin.ts';
import { startTraceCollector } from '../support/trace-collector.ts';
import { ask, linesOf, parent, spansOf, tracing } from '../support/trace-lanes.ts';
import {
  freePort,
  makeWormgate,
  startWormgate,
  until,
  type Wormgate,
} from '../support/wormgate.ts';

const always = 'SampleRatio=1';

async function askTimes({ port }: Wormgate, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await ask(port, `/${time}`);
}

/** Waits until a counter has a value. */
async function counted(wormgate: Wormgate, name: string, value: number): Promise<void> {
  let last = Number.NaN;
  await until(
    async () => {
      last = await wormgate.counter(name);
      return last === value;
    },
    10_000,
    () => `${name} is ${last}`,
  );
}

test('spans that come together share a POST, with the headers that are set', async (t) => {
  const collector = await startTraceCollector(t);
  const headers = 'Headers="api-key=sesame, X-Tenant=a%2Cb"';
  const wormgate = await startWormgate(t, { sections: tracing(collector, always, headers) });
  const requests = ['/0', '/1', '/2'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const client = await RawClient.connect(wormgate.port);
  client.send(requests.join(''));
  await counted(wormgate, 'spans_sent', 3);
  client.destroy();
  const [post, ...others] = collector.posts;
  assert.ok(post !== undefined && others.length === 0);
  assert.equal(post.url, '/v1/traces');
  assert.equal(post.headers['content-type'], 'application/x-protobuf');
  assert.equal(post.headers['api-key'], 'sesame');
  assert.equal(post.headers['x-tenant'], 'a,b');
  assert.deepEqual(
    post.spans.map(({ attributes }) => attributes['url.path']),
    ['/0', '/1', '/2'],
  );
  assert.equal(await wormgate.counter('spans'), 3);
  assert.equal(await wormgate.stop(), 0);
  assert.equal(wormgate.stderr, '');
});

test('a collector that is gone costs no request anything, and gets what waited when it is back', async (t) => {
  const port = await freePort();
  const origin = await startScriptedOrigin(t);
  const sections = tracing({ port }, always, 'SpanBatch=1');
  const wormgate = await startWormgate(t, { origin: origin.url, sections });
  await askTimes(wormgate, 3);
  assert.equal(origin.calls.length, 3);
  await until(async () => (await wormgate.counter('span_post_failures')) >= 1);
  const collector = await startTraceCollector(t, { port });
  await spansOf(collector, 3);
  await counted(wormgate, 'spans_sent', 3);
  assert.equal(await wormgate.counter('spans_lost'), 0);
  await until(() => wormgate.stderr.includes('takes spans again'));
  const place = `wormgate: the trace collector at 127.0.0.1:${port}`;
  assert.deepEqual(wormgate.stderr.trimEnd().split('\n'), [
    `${place} does not take spans: connect ECONNREFUSED 127.0.0.1:${port}`,
    `${place} takes spans again; 0 were lost`,
  ]);
});

test('a collector that is silent holds up nobody, and its queue is bounded', async (t) => {
  const collector = await startTraceCollector(t);
  collector.answers.push(undefined);
  const lines = [always, 'ExportTimeout=2', 'MaxSpanQueue=2', 'SpanBatch=1'];
  const wormgate = await startWormgate(t, { sections: tracing(collector, ...lines) });
  await ask(wormgate.port, '/first');
  await until(() => collector.posts.length === 1);
  await askTimes(wormgate, 5);
  await counted(wormgate, 'spans_lost', 3);
  await counted(wormgate, 'spans_sent', 3);
  assert.match(wormgate.stderr, /does not take spans: no answer within 2 s/);
});

test('429 is tried again, 500 and 400 are not, and each is told once', async (t) => {
  const collector = await startTraceCollector(t);
  collector.answers.push({ status: 429 });
  const sections = tracing(collector, always, 'SpanBatch=1');
  const wormgate = await startWormgate(t, { sections });
  await askTimes(wormgate, 1);
  await counted(wormgate, 'spans_sent', 1);
  assert.deepEqual(collector.posts[0]?.spans, collector.posts[1]?.spans);
  collector.answers.push({ status: 500 }, { status: 400 });
  await askTimes(wormgate, 2);
  await counted(wormgate, 'spans_refused', 2);
  assert.equal(await wormgate.counter('span_posts'), 4);
  assert.equal(await wormgate.counter('span_post_failures'), 3);
  assert.equal(await wormgate.counter('spans_lost'), 0);
  assert.equal(wormgate.stderr.match(/does not take spans/g)?.length, 2);
});

test('what a collector refuses of a batch is counted, and its reason told once', async (t) => {
  const collector = await startTraceCollector(t);
  const content = refusalOf(2, 'too "old"\n');
  collector.answers.push({ status: 200, content }, { status: 200, content });
  const sections = tracing(collector, always, 'SpanBatch=3');
  const wormgate = await startWormgate(t, { sections });
  await askTimes(wormgate, 3);
  await counted(wormgate, 'spans_refused', 2);
  await askTimes(wormgate, 3);
  await counted(wormgate, 'spans_refused', 4);
  await counted(wormgate, 'spans_sent', 2);
  const place = `the trace collector at 127.0.0.1:${collector.port}`;
  await until(() => wormgate.stderr !== '');
  assert.equal(wormgate.stderr, `wormgate: ${place} refuses some spans: too %22old%22%0A\n`);
});

test('no more spans are made than SpansPerSecond, whatever flags clients set', async (t) => {
  const collector = await startTraceCollector(t);
  const sections = tracing(collector, 'SampleRatio=0', 'SpansPerSecond=1');
  const wormgate = await startWormgate(t, { sections });
  const times = 40;
  const asked = Array.from({ length: times }, () =>
    ask(wormgate.port, '/', `traceparent: ${parent}`),
  );
  await Promise.all(asked);
  const [spans, omitted] = await Promise.all(
    ['spans', 'spans_omitted'].map((name) => wormgate.counter(name)),
  );
  assert.equal((spans ?? 0) + (omitted ?? 0), times);
  assert.ok((omitted ?? 0) > 0);
});

test('a stop sends what waits; a silent collector is waited for no longer than DrainSeconds', async (t) => {
  const collector = await startTraceCollector(t);
  const sections = { ...tracing(collector, always), Limits: ['DrainSeconds=1'] };
  const wormgate = await startWormgate(t, { sections });
  await askTimes(wormgate, 2);
  assert.equal(await wormgate.stop(), 0);
  assert.equal(collector.spans.length, 2);
  const other = await startWormgate(t, { sections });
  collector.answers.push(undefined);
  await askTimes(other, 1);
  await until(() => collector.posts.length === 2);
  assert.equal(await other.stop(), 0);
});

test('a kill in the middle leaves nothing that keeps the next start from tracing', async (t) => {
  const collector = await startTraceCollector(t);
  collector.answers.push(undefined);
  const sections = tracing(collector, always, 'SpanBatch=1');
  const wormgate = await startWormgate(t, { sections });
  await askTimes(wormgate, 3);
  await until(() => collector.posts.length === 1);
  await wormgate.stop('SIGKILL');
  await wormgate.start();
  await ask(wormgate.port, '/again');
  await spansOf(collector, 1, '/again');
});

test('a reload turns tracing on, moves it, and turns it off; its secrets are told to nobody', async (t) => {
  const one = await startTraceCollector(t);
  const two = await startTraceCollector(t);
  const origin = await startScriptedOrigin(t);
  const fixed = { origin: origin.url };
  const wormgate = await startWormgate(t, fixed);
  const head = async (target: string) => {
    await ask(wormgate.port, target, 'traceparent: mine');
    return linesOf(origin.callsOf(target)[0]?.head ?? '', 'traceparent')[0];
  };
  assert.equal(await head('/before'), 'mine');
  await taken(wormgate, { ...fixed, sections: tracing(one, always, 'Headers=api-key=hush') });
  assert.match((await head('/one')) ?? '', /^00-.*-01$/);
  await spansOf(one, 1);
  await taken(wormgate, { ...fixed, sections: tracing(two, always, 'ServiceName=second') });
  assert.match((await head('/two')) ?? '', /^00-.*-01$/);
  const [span] = await spansOf(two, 1);
  assert.equal(span?.resource['service.name'], 'second');
  const bad = tracing(two, 'Headers=api-key=hush hush\u00fc');
  const told = await reload(wormgate, { ...fixed, sections: bad });
  assert.match(told, /\[Tracing\] Headers: part 1 has a value that is not printable ASCII/);
  await taken(wormgate, fixed);
  assert.equal(await head('/after'), 'mine');
  assert.equal(await wormgate.stop(), 0);
  assert.equal(one.posts.length + two.posts.length, 2);
  assert.doesNotMatch(wormgate.stderr, /hush/);
});

/** What a wormgate with these sections has run of packages' files, from its start to its end. */
async function runFiles(
  t: Cleanup,
  sections: Readonly<Record<string, readonly string[]>>,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-coverage-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const wormgate = await makeWormgate(t, { sections });
  const before = process.env.NODE_V8_COVERAGE;
  process.env.NODE_V8_COVERAGE = folder;
  try {
    await wormgate.start();
  } finally {
    if (before === undefined) delete process.env.NODE_V8_COVERAGE;
    else process.env.NODE_V8_COVERAGE = before;
  }
  await ask(wormgate.port, '/');
  assert.equal(await wormgate.stop(), 0);
  return readdirSync(folder).flatMap((file) => {
    const { result }: { result: readonly Coverage[] } = JSON.parse(
      readFileSync(join(folder, file), 'utf8'),
    );
    // The build has made a function of each file of a package, with the file's name.
    return result
      .flatMap(({ functions }) => functions)
      .filter(({ ranges }) => ranges.some(({ count }) => count > 0))
      .map(({ functionName }) => functionName);
  });
}

/** Of a script, as V8 tells it. */
interface Coverage {
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly { readonly count: number }[];
  }[];
}

test("without an Endpoint, nothing of OpenTelemetry's packages is run", async (t) => {
  const collector = await startTraceCollector(t);
  const isTheirs = (file: string) => file.startsWith('node_modules/@opentelemetry/');
  const without = await runFiles(t, {});
  assert.ok(without.some((file) => file.startsWith('node_modules/fastify/')));
  assert.deepEqual(without.filter(isTheirs), []);
  const informed = await runFiles(t, tracing(collector));
  assert.ok(informed.some(isTheirs));
});
