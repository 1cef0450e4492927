/** Tracing over real sockets: what origins and the collector are told of requests, the same on both lanes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { H2Client } from '../support/h2-client.ts';
import { oneProcess } from '../support/one-process.ts';
import type { ReceivedSpan } from '../support/otlp-reader.ts';
import { skipWithout } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { patternSection } from '../support/reload.ts';
import { okAnswer, startScriptedOrigin } from '../support/scripted-origin.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { startTraceCollector } from '../support/trace-collector.ts';
import {
  ask,
  linesOf,
  parent,
  parentId,
  spansOf,
  startTraceLanes,
  type TraceLane,
  traceId,
  tracing,
} from '../support/trace-lanes.ts';

const patterns = patternSection(['evil.exe HTTP/1.', 'fine/evil HTTP/1'], 'NeverBlock=path:/fine/');
const all = await startTraceLanes({ after }, ['SampleRatio=1', 'ServiceName=shop front'], patterns);
const none = await startTraceLanes({ after }, ['SampleRatio=0'], patterns);
const off = await startTraceLanes({ after }, undefined, patterns);
const dropping = await startTraceLanes({ after }, ['SampleRatio=0'], {
  'Virus Pattern Configuration': [
    ...(patterns['Virus Pattern Configuration'] ?? []),
    'VirusAction=drop',
  ],
});

let pathCount = 0;

/** Plays a request to each lane; gives the head that its origin received. */
async function heads(lanes: readonly TraceLane[], ...lines: string[]): Promise<string[]> {
  const path = `/path-${pathCount++}-`;
  return await Promise.all(
    lanes.map(async ({ wormgate, origin }) => {
      await ask(wormgate.port, path, ...lines);
      return origin.callsOf(path)[0]?.head ?? '';
    }),
  );
}

/** The span for a path on each lane. */
async function spansFor(lanes: readonly TraceLane[], path: string): Promise<ReceivedSpan[]> {
  return await Promise.all(
    lanes.map(async ({ collector }) => {
      const [span, ...others] = await spansOf(collector, 1, path);
      assert.ok(span !== undefined && others.length === 0, `${others.length + 1} spans`);
      return span;
    }),
  );
}

/** What of a span is the same on both lanes. */
function comparable({ attributes, ...span }: ReceivedSpan) {
  const { 'wormgate.request_id': id, ...others } = attributes;
  assert.match(String(id), /^[0-9a-f]{10}-[0-9a-z]+$/);
  return {
    ...span,
    attributes: others,
    traceId: '',
    spanId: '',
    startNs: 0n,
    endNs: 0n,
    resource: {},
  };
}

function assertAlike(spans: readonly ReceivedSpan[]): void {
  const [fast, front] = spans.map(comparable);
  assert.deepEqual(fast, front);
}

test('without an Endpoint, what the client says about its trace is passed on as it came', async () => {
  const lines = ['TraceParent: whatever 00', 'tracestate: a=1,b=2', 'x-last: 1'];
  for (const head of await heads(off, ...lines)) {
    assert.ok(head.includes(`\r\nHost: site.test\r\n${lines.join('\r\n')}\r\nVia: `), head);
  }
  const twice = ['traceparent: a', 'traceparent: b', 'tracestate: c', 'tracestate: d'];
  for (const head of await heads(off, ...twice)) {
    assert.deepEqual(linesOf(head, 'traceparent'), ['a', 'b']);
    assert.deepEqual(linesOf(head, 'tracestate'), ['c', 'd']);
  }
  for (const head of await heads(off)) assert.deepEqual(linesOf(head, 'traceparent'), []);
});

test('a sampled parent is followed: the origin is told our span, the collector both', async () => {
  for (const lanes of [all, none]) {
    const told = await heads(lanes, `Traceparent: ${parent}`, 'x-mid: 1', 'Tracestate: a=1,b=2');
    const path = /^GET (\S+)/.exec(told[0] ?? '')?.[1] ?? '';
    const spans = await spansFor(lanes, path);
    assertAlike(spans);
    for (const [index, span] of spans.entries()) {
      const head = told[index] ?? '';
      assert.deepEqual(linesOf(head, 'traceparent'), [`00-${traceId}-${span.spanId}-01`]);
      assert.deepEqual(linesOf(head, 'tracestate'), ['a=1,b=2']);
      assert.deepEqual([span.traceId, span.parentSpanId], [traceId, parentId]);
      assert.notEqual(span.spanId, parentId);
      assert.equal(span.traceState, 'a=1,b=2');
      assert.equal(span.flags, 0x301, 'sampled, and its parent is elsewhere');
    }
    const [fast, front] = told.map((head) => head.replace(/-[0-9a-f]{16}-01/, ''));
    const port = /X-Forwarded-For.*/s;
    assert.equal(fast?.replace(port, ''), front?.replace(port, ''));
    assert.equal(fast?.slice(fast.search(port)), front?.slice(front.search(port)));
  }
});

test('a parent that is not sampled is followed as well', async () => {
  for (const lanes of [all, none]) {
    const before = lanes.map(({ collector }) => collector.spans.length);
    const lines = [`traceparent: 00-${traceId}-${parentId}-00`, 'tracestate: a=1'];
    for (const head of await heads(lanes, ...lines)) {
      const [line = ''] = linesOf(head, 'traceparent');
      assert.match(line, new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
      assert.ok(!line.includes(parentId));
      assert.deepEqual(linesOf(head, 'tracestate'), ['a=1']);
    }
    if (lanes === none) continue;
    await heads(lanes, `traceparent: ${parent}`);
    for (const [index, { collector }] of lanes.entries()) {
      await spansOf(collector, (before[index] ?? 0) + 1);
      assert.equal(collector.spans.length, (before[index] ?? 0) + 1);
    }
  }
});

test('without a valid traceparent a trace begins, and tracestate is left out', async () => {
  const bad = [
    [],
    [`traceparent: 00-${traceId}-${parentId}`],
    [`traceparent: 00-${traceId}-${parentId}-01-02`],
    [`traceparent: ff-${traceId}-${parentId}-01`],
    [`traceparent: 00-${'0'.repeat(32)}-${parentId}-01`],
    [`traceparent: 00-${traceId}-${'0'.repeat(16)}-01`],
    [`traceparent: ${parent.toUpperCase()}`],
    [`traceparent: ${parent}`, `traceparent: ${parent}`],
    [`traceparent: ${parent},${parent}`],
  ];
  for (const lines of bad) {
    for (const [lanes, flags] of [
      [all, '01'],
      [none, '00'],
    ] as const) {
      for (const head of await heads(lanes, ...lines, 'tracestate: a=1')) {
        const [line = '', ...others] = linesOf(head, 'traceparent');
        assert.match(line, new RegExp(`^00-[0-9a-f]{32}-[0-9a-f]{16}-${flags}$`), lines.join());
        assert.ok(!line.includes(traceId), lines.join());
        assert.deepEqual([others, linesOf(head, 'tracestate')], [[], []], lines.join());
      }
    }
  }
});

test('a span tells of the request in the words of the conventions, and of no query', async () => {
  const path = '/said/50%25';
  const lines = ['X-Forwarded-For: 192.0.2.9'];
  const atMs = Date.now();
  await Promise.all(
    all.map(({ wormgate }) => ask(wormgate.port, `${path}?token=hush&evil`, ...lines)),
  );
  const spans = await spansFor(all, path);
  assertAlike(spans);
  for (const span of spans) {
    const { 'wormgate.request_id': _id, ...attributes } = span.attributes;
    assert.deepEqual(attributes, {
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'url.path': path,
      'server.address': 'site.test',
      'client.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'http.response.status_code': 200,
      'wormgate.verdict': 'pass',
    });
    assert.deepEqual([span.name, span.kind, span.status], ['GET', 2, 0]);
    assert.equal(span.parentSpanId, '');
    const { 'service.instance.id': instance, 'service.version': version } = span.resource;
    assert.equal(span.resource['service.name'], 'shop front');
    assert.match(String(instance), /^[0-9a-f-]{36}$/);
    assert.match(String(version), /^\d+\.\d+\.\d+/);
    assert.ok(span.endNs >= span.startNs);
    assert.ok(Math.abs(Number(span.startNs / 1_000_000n) - atMs) < 60_000);
  }
});

test('what was slipped has a span of a trace of its own, whatever its headers say', async () => {
  const target = '/evil.exe';
  await Promise.all(
    all.map(({ wormgate }) => ask(wormgate.port, target, `traceparent: ${parent}`)),
  );
  const spans = await spansFor(all, target);
  assertAlike(spans);
  for (const { attributes, ...span } of spans) {
    assert.notEqual(span.traceId, traceId);
    assert.equal(span.parentSpanId, '');
    assert.equal(attributes['wormgate.verdict'], 'slip');
    assert.equal(attributes['wormgate.pattern'], 'evil.exe HTTP/1.');
    assert.equal(attributes['http.response.status_code'], undefined);
  }
});

test('what was dropped, and what NeverBlock let pass, belongs to the trace of its client', async () => {
  const play = async (lanes: readonly TraceLane[], target: string) => {
    const line = `traceparent: ${parent}`;
    await Promise.all(lanes.map(({ wormgate }) => ask(wormgate.port, target, line)));
    const spans = await spansFor(lanes, target);
    assertAlike(spans);
    const [span] = spans;
    const { 'wormgate.verdict': verdict, 'http.response.status_code': code } =
      span?.attributes ?? {};
    assert.deepEqual([span?.traceId, span?.parentSpanId], [traceId, parentId]);
    return [verdict, code, span?.status];
  };
  assert.deepEqual(await play(dropping, '/evil.exe'), ['drop', 400, 0]);
  assert.deepEqual(await play(dropping, '/fine/evil'), ['never-block', 200, 0]);
});

test('a refusal, an origin that fails, and a strange method have their spans', async (t) => {
  const lanes = await startTraceLanes(t, ['SampleRatio=1'], {}, ['Hosts=site.test']);
  for (const { origin } of lanes) origin.on('/gone', ({ socket }) => void socket.destroy());
  for (const { origin } of lanes)
    origin.on('/five', ({ say }) => say('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'));
  const told = async (target: string) => {
    await Promise.all(lanes.map(({ wormgate }) => ask(wormgate.port, target)));
    const spans = await spansFor(lanes, target);
    assertAlike(spans);
    const [{ attributes = {}, status } = {}] = spans;
    const {
      'http.response.status_code': code,
      'error.type': type,
      'wormgate.error': word,
    } = attributes;
    return [code, type, word, status];
  };
  assert.deepEqual(await told('/gone'), [502, 'origin_closed', 'origin_closed', 2]);
  assert.deepEqual(await told('/five'), [503, '503', undefined, 2]);
  const before = lanes.map(({ collector }) => collector.spans.length);
  for (const { wormgate } of lanes) {
    const client = await RawClient.connect(wormgate.port);
    await client.ask('PROPFIND /dav HTTP/1.1\r\nHost: site.test:8080\r\n\r\n');
    await client.ask('GET /other HTTP/1.1\r\nHost: other.test\r\n\r\n');
    client.destroy();
  }
  for (const [index, { collector }] of lanes.entries()) {
    const all = await spansOf(collector, (before[index] ?? 0) + 2);
    const [strange, misdirected] = all.slice(-2);
    assert.equal(strange?.name, 'HTTP');
    assert.equal(strange?.attributes['http.request.method'], '_OTHER');
    assert.equal(strange?.attributes['http.request.method_original'], 'PROPFIND');
    assert.equal(strange?.attributes['server.port'], 8080);
    assert.equal(misdirected?.attributes['wormgate.error'], 'misdirected');
    assert.equal(misdirected?.status, 0);
  }
});

test('the cache says what it made of a request', async (t) => {
  const one = oneProcess('each worker stores what it has fetched');
  const lanes = await startTraceLanes(t, ['SampleRatio=1'], one, ['Cache=1']);
  for (const { origin } of lanes) {
    origin.on('/kept', ({ say }) =>
      say(okAnswer().replace('\r\n', '\r\nCache-Control: max-age=60\r\n')),
    );
  }
  const told = [];
  for (const { wormgate, collector, origin } of lanes) {
    await ask(wormgate.port, '/kept');
    await ask(wormgate.port, '/kept');
    await ask(wormgate.port, '/kept', 'If-None-Match: "x"');
    await ask(wormgate.port, '/kept', 'Authorization: Basic eDp5');
    await ask(wormgate.port, '/else');
    const spans = await spansOf(collector, 5);
    const ofPath = spans.map(({ attributes }) => attributes['wormgate.cache']);
    const [first] = origin.callsOf('/kept');
    assert.deepEqual(linesOf(first?.head ?? '', 'traceparent'), [
      `00-${spans[0]?.traceId}-${spans[0]?.spanId}-01`,
    ]);
    told.push(ofPath);
  }
  assert.deepEqual(told[0], told[1]);
  assert.deepEqual(told[0]?.slice(0, 3), ['uri-miss', 'hit', 'hit']);
});

test('over HTTP/2 a request has the same span, of version 2', {
  skip: skipWithout('openssl'),
}, async (t) => {
  for (const fastPath of [1, 0]) {
    const collector = await startTraceCollector(t);
    const origin = await startScriptedOrigin(t);
    const { tlsPort } = await startTlsWormgate(t, {
      origin: origin.url,
      sections: {
        'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
        ...tracing(collector, 'SampleRatio=0'),
      },
    });
    const client = await H2Client.connect(t, tlsPort);
    await client.ask({
      ':method': 'GET',
      ':path': '/two?x',
      traceparent: parent,
      tracestate: 'a=1',
    });
    const [span] = await spansOf(collector, 1);
    const { 'wormgate.request_id': _id, ...attributes } = span?.attributes ?? {};
    assert.deepEqual(attributes, {
      'http.request.method': 'GET',
      'url.scheme': 'https',
      'url.path': '/two',
      'server.address': 'site.test',
      'client.address': '127.0.0.1',
      'network.protocol.version': '2',
      'http.response.status_code': 200,
      'wormgate.verdict': 'pass',
    });
    const head = origin.callsOf('/two')[0]?.head ?? '';
    assert.deepEqual(linesOf(head, 'traceparent'), [`00-${traceId}-${span?.spanId}-01`]);
    assert.deepEqual(linesOf(head, 'tracestate'), ['a=1']);
    client.session.destroy();
  }
});

test('an upgraded connection has one span, and its origin is told of it', async (t) => {
  const [lane] = await startTraceLanes(t, ['SampleRatio=0']);
  assert.ok(lane !== undefined);
  const { wormgate, origin, collector } = lane;
  origin.on('/chat', ({ say, socket }) => {
    say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n');
    socket.end();
  });
  await ask(
    wormgate.port,
    '/chat',
    'Connection: Upgrade',
    'Upgrade: chat',
    `traceparent: ${parent}`,
  );
  const [span] = await spansOf(collector, 1);
  assert.equal(span?.attributes['http.response.status_code'], 101);
  const head = origin.callsOf('/chat')[0]?.head ?? '';
  assert.deepEqual(linesOf(head, 'traceparent'), [`00-${traceId}-${span?.spanId}-01`]);
});
