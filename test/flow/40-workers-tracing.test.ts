/** Tracing with two workers: each sends the spans of its own requests, and the counters are sums. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startOrigin } from '../support/origin.ts';
import { reload } from '../support/reload.ts';
import { startTraceCollector } from '../support/trace-collector.ts';
import { spansOf, tracing } from '../support/trace-lanes.ts';
import { clientOfEach, startWithWorkers, workersOptions } from '../support/workers.ts';
import { until } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (_, answer) => answer.end('ok\n'));
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: site.test\r\n\r\n`;

test('each worker sends the spans of its requests, and the counters are sums', async (t) => {
  const collector = await startTraceCollector(t);
  const sections = tracing(collector, 'SampleRatio=1', 'SpanBatch=1');
  const wormgate = await startWithWorkers(t, { origin, sections });
  const clients = [...(await clientOfEach(wormgate)).values()];
  for (const [index, client] of clients.entries()) {
    assert.equal((await client.ask(get(`/of-${index}`))).status, 200);
  }
  const instances = new Set<unknown>();
  for (const [index] of clients.entries()) {
    const [span] = await spansOf(collector, 1, `/of-${index}`);
    instances.add(span?.resource['service.instance.id']);
  }
  assert.equal(instances.size, 2);
  const probes = await wormgate.counter('virus_requests');
  await until(async () => (await wormgate.counter('spans_sent')) === probes + 2);
  assert.equal(await wormgate.counter('spans'), probes + 2);
});

test('a reload turns tracing on in both workers, and their last spans are sent when they stop', async (t) => {
  const collector = await startTraceCollector(t);
  const wormgate = await startWithWorkers(t, { origin });
  const clients = [...(await clientOfEach(wormgate)).values()];
  // A batch that is not full waits for more, but not beyond the end.
  const sections = tracing(collector, 'SampleRatio=1');
  await reload(wormgate, workersOptions({ origin, sections }));
  for (const [index, client] of clients.entries()) {
    assert.equal((await client.ask(get(`/last-${index}`))).status, 200);
  }
  assert.equal(await wormgate.stop('SIGTERM'), 0);
  for (const [index] of clients.entries()) await spansOf(collector, 1, `/last-${index}`);
});
