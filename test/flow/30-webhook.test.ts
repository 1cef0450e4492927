/** Events of a whole wormgate as a real receiver gets them, or does not. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificate } from '../support/certificate.ts';
import { skipWithout } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { patternSection, reload, taken } from '../support/reload.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { freePort, startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const patterns = patternSection(['evil.exe HTTP/1.']);

function options(port: number, ...lines: string[]) {
  const Events = [`Webhook=http://127.0.0.1:${port}/hook?a=b`, 'EventLog=events.jsonl', ...lines];
  return { sections: { ...patterns, Events } };
}

async function attack(wormgate: Wormgate, times = 1): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const client = await RawClient.connect(wormgate.port);
    client.send('GET /evil.exe HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.end();
  }
}

function idsOf({ posts }: WebhookReceiver): unknown[] {
  return posts.flatMap(({ events }) => events.map(({ id }) => id));
}

/** Of the events in the file, once it has so many. */
async function idsInFile(wormgate: Wormgate, count: number): Promise<unknown[]> {
  const file = join(wormgate.dataFolder, 'events.jsonl');
  const lines = () => readFileSync(file, 'latin1').split('\n').slice(0, -1);
  await until(() => lines().length === count);
  return lines().map((line) => JSON.parse(line).id);
}

test('every event arrives, in order, with the token, over one connection', async (t) => {
  const receiver = await startWebhookReceiver(t);
  const wormgate = await startWormgate(t, options(receiver.port, 'WebhookToken=sesame'));
  for (let times = 0; times < 3; times += 1) {
    await attack(wormgate, 2);
    await until(() => idsOf(receiver).length === 2 * (times + 1));
  }
  assert.deepEqual(idsOf(receiver), await idsInFile(wormgate, 6));
  const [first] = receiver.posts;
  assert.equal(first?.url, '/hook?a=b');
  assert.equal(first?.headers['content-type'], 'application/json');
  assert.equal(first?.headers.authorization, 'Bearer sesame');
  assert.match(String(first?.headers['webhook-id']), /^[0-9a-f-]{36}$/);
  assert.equal(receiver.connectionCount, 1);
  await until(async () => (await wormgate.counter('webhook_events_sent')) === 6);
  assert.equal(await wormgate.stop(), 0);
  assert.equal(wormgate.stderr, '');
});

test('a kept-alive connection that the receiver has given up costs nothing but another one', async (t) => {
  const receiver = await startWebhookReceiver(t);
  receiver.isShortLived = true;
  const wormgate = await startWormgate(t, options(receiver.port, 'WebhookRetries=0'));
  for (const count of [1, 2, 3]) {
    await attack(wormgate);
    await until(async () => (await wormgate.counter('webhook_events_sent')) === count);
  }
  assert.equal(await wormgate.counter('webhook_failures'), 0);
  assert.equal(receiver.connectionCount, 3);
});

test('500 and then ok: the same events again', async (t) => {
  const receiver = await startWebhookReceiver(t);
  receiver.statuses.push(500);
  const wormgate = await startWormgate(t, options(receiver.port));
  await attack(wormgate);
  await until(() => receiver.posts.length === 2);
  const [first, second] = receiver.posts;
  assert.deepEqual(first?.events, second?.events);
  assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
  await until(async () => (await wormgate.counter('webhook_events_sent')) === 1);
  assert.equal(await wormgate.counter('webhook_failures'), 1);
  assert.equal(await wormgate.counter('webhook_events_lost'), 0);
  await until(() => wormgate.stderr.includes('takes events again; 0 were lost'));
});

test('other answers are final, redirects too', async (t) => {
  const receiver = await startWebhookReceiver(t);
  receiver.statuses.push(404, 307);
  const wormgate = await startWormgate(t, options(receiver.port));
  for (const lost of [1, 2]) {
    await attack(wormgate);
    await until(async () => (await wormgate.counter('webhook_events_lost')) === lost);
  }
  await attack(wormgate);
  await until(async () => (await wormgate.counter('webhook_events_sent')) === 1);
  assert.deepEqual(
    receiver.posts.map(({ url }) => url),
    ['/hook?a=b', '/hook?a=b', '/hook?a=b'],
  );
});

test('a receiver that is silent holds up nobody, and its queue is bounded', async (t) => {
  const receiver = await startWebhookReceiver(t);
  receiver.statuses.push(undefined);
  const lines = ['WebhookTimeout=1', 'MaxWebhookQueue=2', 'WebhookBatch=1'];
  const wormgate = await startWormgate(t, options(receiver.port, ...lines));
  await attack(wormgate);
  await until(() => receiver.posts.length === 1);
  await attack(wormgate, 5);
  assert.equal(await wormgate.counter('webhook_events_lost'), 3);
  await until(async () => (await wormgate.counter('webhook_events_sent')) === 3);
  const ids = await idsInFile(wormgate, 6);
  assert.deepEqual(idsOf(receiver), [ids[0], ids[0], ids[4], ids[5]]);
  assert.match(wormgate.stderr, /does not take events: no answer within 1 s/);
});

test('a receiver that is gone and comes back gets what waited', async (t) => {
  const port = await freePort();
  const wormgate = await startWormgate(t, options(port));
  await attack(wormgate, 2);
  await until(async () => (await wormgate.counter('webhook_failures')) >= 1);
  const receiver = await startWebhookReceiver(t, { port });
  await until(() => receiver.posts.length > 0);
  assert.deepEqual(idsOf(receiver), await idsInFile(wormgate, 2));
  assert.match(wormgate.stderr, /does not take events: connect ECONNREFUSED/);
});

test('a stop tries once what is queued', async (t) => {
  const receiver = await startWebhookReceiver(t);
  receiver.statuses.push(503);
  const wormgate = await startWormgate(t, options(receiver.port, 'WebhookBatch=2'));
  await attack(wormgate);
  await until(async () => (await wormgate.counter('webhook_failures')) === 1);
  await attack(wormgate, 3);
  const before = receiver.posts.length;
  assert.equal(await wormgate.stop(), 0);
  const after = receiver.posts.slice(before).flatMap(({ events }) => events.map(({ id }) => id));
  assert.deepEqual(after.slice(-4), await idsInFile(wormgate, 4));
});

test('a stop waits for a silent receiver no longer than DrainSeconds', async (t) => {
  const receiver = await startWebhookReceiver(t);
  receiver.statuses.push(undefined, undefined);
  const { sections } = options(receiver.port, 'WebhookTimeout=3600');
  const all = { sections: { ...sections, Limits: ['DrainSeconds=1'] } };
  const wormgate = await startWormgate(t, all);
  await attack(wormgate);
  await until(() => receiver.posts.length === 1);
  assert.equal(await wormgate.stop(), 0);
});

test('a certificate that nobody vouches for is not believed', {
  skip: skipWithout('openssl'),
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-webhook-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  makeCertificate(folder, ['127.0.0.1']);
  const file = (ending: string) => readFileSync(join(folder, `127.0.0.1.${ending}`));
  const tls = { cert: file('crt'), key: file('key') };
  const receiver = await startWebhookReceiver(t, { tls });
  const Events = [`Webhook=https://127.0.0.1:${receiver.port}/`, 'WebhookRetries=0'];
  const configuration = { sections: { ...patterns, Events } };
  const doubtful = await startWormgate(t, configuration);
  await attack(doubtful);
  await until(async () => (await doubtful.counter('webhook_events_lost')) === 1);
  assert.match(doubtful.stderr, /does not take events: self-signed certificate/);
  assert.equal(receiver.posts.length, 0);
  process.env.NODE_EXTRA_CA_CERTS = join(folder, '127.0.0.1.crt');
  t.after(() => delete process.env.NODE_EXTRA_CA_CERTS);
  const informed = await startWormgate(t, configuration);
  await attack(informed);
  await until(() => receiver.posts.length === 1);
});

test('a reload moves the webhook with what waits, changes the rest, and turns it off', async (t) => {
  const one = await startWebhookReceiver(t);
  const two = await startWebhookReceiver(t);
  one.statuses.push(undefined);
  const wormgate = await startWormgate(t, options(one.port, 'WebhookToken=first'));
  await attack(wormgate);
  await until(() => one.posts.length === 1);
  await taken(wormgate, options(two.port, 'WebhookToken=second', 'WebhookBatch=1'));
  await attack(wormgate, 2);
  await until(() => two.posts.length === 3);
  assert.deepEqual(idsOf(two), await idsInFile(wormgate, 3));
  assert.equal(two.posts[0]?.headers.authorization, 'Bearer second');
  const told = await reload(wormgate, options(two.port, 'WebhookToken=hush hush'));
  assert.match(told, /\[Events\] WebhookToken: only printable ASCII without blanks/);
  await taken(wormgate, { sections: patterns });
  await attack(wormgate);
  assert.equal(await wormgate.stop(), 0);
  assert.equal(two.posts.length, 3);
  assert.doesNotMatch(wormgate.stderr, /hush|second|hook\?/);
});
