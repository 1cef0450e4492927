/** Which traces are sampled, and what a span says of its request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SpanFacts, serverSpan } from '../../../src/log/span.ts';
import { TraceIds } from '../../../src/log/trace-ids.ts';
import { Tracer } from '../../../src/log/tracer.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';

function tracerWith(sampleRatio: number, random: number): Tracer {
  const ids = new TraceIds((bytes) => bytes.fill(0xab));
  return new Tracer({ sampleRatio, ids, random: () => random, upMs: () => 7, record: () => {} });
}

test('the ratio decides where no parent does', () => {
  const samples = (ratio: number, random: number, parent?: string) =>
    tracerWith(ratio, random).begin(parent, undefined, undefined).isSampled;
  assert.equal(samples(0, 0), false);
  assert.equal(samples(0.5, 0.499), true);
  assert.equal(samples(0.5, 0.5), false);
  assert.equal(samples(1, 0.999_999), true);
  assert.equal(samples(1, 0, `00-${traceId}-${parentId}-00`), false);
  assert.equal(samples(0, 0.9, `00-${traceId}-${parentId}-01`), true);
  assert.equal(samples(0, 0.9, `00-${traceId}-${parentId}-03`), true);
  assert.equal(samples(1, 0.5, `00-${traceId}-${parentId}-02`), false);
  assert.equal(samples(1, 0.5, 'nonsense'), true);
});

test('a trace goes on with its parent, or begins with ids of its own and no tracestate', () => {
  const tracer = tracerWith(0, 0);
  const own = 'ab'.repeat(8);
  const { state, host, traceparent, parentSpanId } = tracer.begin(
    `cc-${traceId}-${parentId}-01-more`,
    'a=1',
    'site.test',
  );
  assert.deepEqual(
    { state, host, traceparent, parentSpanId },
    {
      state: 'a=1',
      host: 'site.test',
      traceparent: `00-${traceId}-${own}-01`,
      parentSpanId: parentId,
    },
  );
  const begun = tracer.begin(undefined, 'a=1', undefined);
  assert.equal(begun.state, undefined);
  assert.equal(begun.parentSpanId, undefined);
  assert.equal(begun.traceparent, `00-${'ab'.repeat(16)}-${own}-00`);
});

const facts: SpanFacts = {
  requestId: 'id-1',
  method: 'GET',
  target: '/a',
  scheme: 'https',
  host: undefined,
  client: '192.0.2.1',
  httpVersion: '1.1',
  status: 200,
  error: undefined,
  verdict: 'pass',
  matched: undefined,
  cache: undefined,
};
const place = {
  traceId,
  spanId: parentId,
  parentSpanId: undefined,
  startMs: 1000,
  durationMs: 2.5,
};

function spanOf(some: Partial<SpanFacts>, state?: string) {
  return serverSpan({ ...facts, ...some }, { ...place, state });
}

test('a query is left out, and what a client chose is escaped and cut', () => {
  const path = (target: string) => spanOf({ target }).attributes['url.path'];
  assert.equal(path('/a?token=hush'), '/a');
  assert.equal(path('/?'), '/');
  assert.equal(path('/\xfc"\\'), '/%FC%22%5C');
  assert.equal(String(path(`/${'x'.repeat(5000)}`)).length, 1024);
  assert.equal(spanOf({ target: undefined }).attributes['url.path'], undefined);
});

test('a client that a proxy has named is told as PROXY.LOG tells it', () => {
  const client = (text: string) => spanOf({ client: text }).attributes['client.address'];
  assert.equal(client('2001:db8::1'), '2001:db8::1');
  assert.equal(client('_x]"'), '_x%5D%22');
  assert.equal(String(client('x'.repeat(500))).length, 64);
});

test('the host is an address and a port', () => {
  const server = (host: string | undefined) => {
    const { attributes } = spanOf({ host });
    return [attributes['server.address'], attributes['server.port']];
  };
  assert.deepEqual(server('site.test'), ['site.test', undefined]);
  assert.deepEqual(server('site.test:81'), ['site.test', 81]);
  assert.deepEqual(server('[::1]:81'), ['::1', 81]);
  assert.deepEqual(server('[::1]'), ['::1', undefined]);
  for (const none of [undefined, '', ':80']) assert.deepEqual(server(none), [undefined, undefined]);
});

test('methods that nobody knows do not name spans', () => {
  const { name, attributes } = spanOf({ method: 'brew' });
  assert.equal(name, 'HTTP');
  assert.equal(attributes['http.request.method'], '_OTHER');
  assert.equal(attributes['http.request.method_original'], 'brew');
});

test('5xx and answers that the origin did not finish are errors; what a client does is none', () => {
  const errorOf = (status: number | undefined, error?: string) => {
    const { isError, attributes } = spanOf({ status, error });
    return isError ? attributes['error.type'] : undefined;
  };
  assert.equal(errorOf(500), '500');
  assert.equal(errorOf(504, 'origin_timeout'), 'origin_timeout');
  assert.equal(errorOf(200, 'origin_cut_short'), 'origin_cut_short');
  assert.equal(errorOf(200, 'client_gone'), undefined);
  assert.equal(errorOf(404), undefined);
  assert.equal(errorOf(undefined, 'client_gone'), undefined);
  assert.equal(spanOf({ error: 'client_gone' }).attributes['wormgate.error'], 'client_gone');
});

test('a pattern is told without its padding, and a keyword as what it is', () => {
  const matched = Buffer.from('.env HTTP/1.1\0\0\0');
  const pattern = spanOf({ matched, verdict: 'drop' }).attributes;
  assert.equal(pattern['wormgate.pattern'], '.env HTTP/1.1');
  const keyword = spanOf({ matched: 'cmd.exe' }).attributes;
  assert.equal(keyword['wormgate.keyword'], 'cmd.exe');
  assert.equal(keyword['wormgate.pattern'], undefined);
});

test('a tracestate waits with its span unless it is long', () => {
  assert.equal(spanOf({}, 'a=1').traceState, 'a=1');
  assert.equal(spanOf({}, 'x'.repeat(513)).traceState, undefined);
  assert.deepEqual([spanOf({}).startMs, spanOf({}).endMs], [1000, 1002.5]);
});
