/** The webhook's queue, batches and retries, on a clock that is turned by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WebhookSettings } from '../../../src/config/shape.ts';
import type { Post } from '../../../src/log/post.ts';
import {
  judgePost,
  type PostOutcome,
  passesAtCollector,
  passesAtWebhook,
  retryDelayMs,
} from '../../../src/log/post-retry.ts';
import { SenderQueue } from '../../../src/log/sender-queue.ts';
import { Webhook } from '../../../src/log/webhook.ts';
import { Statistics } from '../../../src/statistics.ts';
import { HandClock } from '../../support/hand-clock.ts';

const answered = (status: number, retryAfter?: string): PostOutcome => {
  return { kind: 'answered', status, retryAfter };
};
const failed: PostOutcome = { kind: 'failed', reason: 'nobody there' };

test('the queue is as a list whose beginning is cut off', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 40 }), max: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ shrink: fc.integer({ min: 0, max: 30 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new SenderQueue<string>();
      let model: string[] = [];
      const keep = (max: number) => {
        const lost = Math.max(0, model.length - max);
        model = model.slice(lost);
        return lost;
      };
      let next = 0;
      for (const each of steps) {
        if ('push' in each) {
          for (let times = 0; times < each.push; times += 1) {
            model.push(String(next));
            assert.equal(queue.push(String(next++), each.max), keep(each.max));
          }
        } else if ('take' in each) {
          assert.deepEqual(queue.take(each.take), model.splice(0, each.take));
        } else {
          assert.equal(queue.shrink(each.shrink), keep(each.shrink));
        }
        assert.equal(queue.size, model.length);
      }
    }),
  );
});

test('a long queue of which much was taken still has the rest, in order', () => {
  const queue = new SenderQueue<string>();
  for (let index = 0; index < 5000; index += 1) queue.push(String(index), 4000);
  assert.equal(queue.take(2500).at(-1), '3499');
  assert.deepEqual(queue.take(2), ['3500', '3501']);
  assert.equal(queue.size, 1498);
});

test('nobody there, 429 and 5xx are tried again; other answers are final', () => {
  const judge = (outcome: PostOutcome) => judgePost(outcome, passesAtWebhook);
  assert.equal(judge(failed), 'retry');
  for (const status of [429, 500, 503, 599]) assert.equal(judge(answered(status)), 'retry');
  for (const status of [200, 204, 299]) assert.equal(judge(answered(status)), 'delivered');
  for (const status of [301, 400, 401, 404, 408, 410, 413]) {
    assert.equal(judge(answered(status)), 'refused');
  }
});

test('at a collector 429, 502, 503 and 504 are tried again; other answers are final', () => {
  const judge = (outcome: PostOutcome) => judgePost(outcome, passesAtCollector);
  assert.equal(judge(failed), 'retry');
  for (const status of [429, 502, 503, 504]) assert.equal(judge(answered(status)), 'retry');
  for (const status of [200, 202]) assert.equal(judge(answered(status)), 'delivered');
  for (const status of [301, 400, 404, 500, 501]) assert.equal(judge(answered(status)), 'refused');
});

test('the wait doubles up to a minute, and jitter moves it by a quarter', () => {
  const nowMs = Date.UTC(2026, 0, 1);
  const delays = (random: number) =>
    [1, 2, 3, 7, 50].map((failures) => retryDelayMs(failures, failed, nowMs, random));
  assert.deepEqual(delays(0.5), [1000, 2000, 4000, 60_000, 60_000]);
  assert.deepEqual(delays(0), [750, 1500, 3000, 45_000, 45_000]);
  assert.deepEqual(delays(1), [1250, 2500, 5000, 75_000, 75_000]);
  const after = (value: string) => retryDelayMs(1, answered(503, value), nowMs, 0.5);
  assert.equal(after('30'), 30_000);
  assert.equal(after('99999999999999999999'), 300_000);
  assert.equal(after('Thu, 01 Jan 2026 00:01:00 GMT'), 60_000);
  assert.equal(after('Thu, 01 Jan 2025 00:01:00 GMT'), 1000);
  for (const nonsense of ['', '-5', 'soon', '1.5', 'soon GMT']) assert.equal(after(nonsense), 1000);
});

class Rig {
  readonly clock = new HandClock();
  readonly statistics = new Statistics();
  readonly warnings: string[] = [];
  readonly posts: Post[] = [];
  readonly webhook: Webhook;
  settings: WebhookSettings;
  #answer: ((outcome: PostOutcome) => void) | undefined;

  constructor(settings: Partial<WebhookSettings> = {}) {
    const some = { url: 'https://hook.example/secret', token: 't', timeoutMs: 5000 };
    this.settings = { ...some, retriesMax: 2, queueMax: 5, batchMax: 3, ...settings };
    this.webhook = new Webhook({
      settings: () => this.settings,
      clock: this.clock,
      statistics: this.statistics,
      warn: (sentence) => this.warnings.push(sentence),
      random: () => 0.5,
      post: (post, signal) => {
        this.posts.push(post);
        return new Promise((resolve) => {
          this.#answer = resolve;
          signal.addEventListener('abort', () => resolve(failed));
        });
      },
    });
  }

  push(...numbers: number[]): void {
    for (const number of numbers) this.webhook.push(String(number));
  }

  /** Answers the POST under way, and lets what follows happen. */
  async answer(outcome: PostOutcome): Promise<void> {
    this.#answer?.(outcome);
    await new Promise((resolve) => setImmediate(resolve));
  }

  get bodies(): string[] {
    return this.posts.map(({ body }) => String(body));
  }

  get lost(): number {
    return this.statistics.get('webhook_events_lost');
  }
}

test('what comes within a moment shares a POST, and a full batch does not wait', async () => {
  const rig = new Rig();
  rig.push(1, 2);
  rig.clock.pass(99);
  assert.deepEqual(rig.bodies, []);
  rig.clock.pass(1);
  assert.deepEqual(rig.bodies, ['[1,2]']);
  rig.push(3, 4, 5, 6);
  rig.clock.pass(1000);
  assert.equal(rig.posts.length, 1, 'one at a time');
  await rig.answer(answered(204));
  assert.deepEqual(rig.bodies, ['[1,2]', '[3,4,5]']);
  await rig.answer(answered(200));
  assert.deepEqual(rig.bodies.slice(2), ['[6]']);
  await rig.answer(answered(200));
  rig.push(7, 8, 9);
  assert.equal(rig.bodies.at(-1), '[7,8,9]');
  assert.equal(rig.statistics.get('webhook_events_sent'), 6);
  assert.deepEqual(rig.warnings, []);
});

test('a batch is tried again with the same id, and the oldest that wait are lost', async () => {
  const rig = new Rig();
  rig.push(1, 2, 3);
  await rig.answer(answered(500));
  rig.push(4, 5, 6, 7, 8, 9);
  assert.equal(rig.lost, 1);
  rig.clock.pass(999);
  assert.equal(rig.posts.length, 1);
  rig.clock.pass(1);
  await rig.answer(answered(200));
  assert.deepEqual(rig.bodies, ['[1,2,3]', '[1,2,3]', '[5,6,7]']);
  const ids = rig.posts.map(({ headers }) => headers['Webhook-Id']);
  assert.equal(ids[0], ids[1]);
  assert.notEqual(ids[1], ids[2]);
  assert.deepEqual(rig.warnings, [
    'the webhook at hook.example does not take events: status 500',
    'the webhook at hook.example takes events again; 1 were lost',
  ]);
});

test('after WebhookRetries a batch is lost, and the next one waits as long as it would have', async () => {
  const rig = new Rig({ retriesMax: 1 });
  rig.push(1, 2, 3, 4);
  await rig.answer(failed);
  rig.clock.pass(1000);
  await rig.answer(failed);
  assert.equal(rig.lost, 3);
  rig.clock.pass(1999);
  assert.equal(rig.posts.length, 2);
  rig.clock.pass(1);
  assert.deepEqual(rig.bodies, ['[1,2,3]', '[1,2,3]', '[4]']);
  assert.equal(rig.statistics.get('webhook_posts'), 3);
  assert.equal(rig.statistics.get('webhook_failures'), 2);
});

test('an answer of 4xx is final, and the next batch is tried at once', async () => {
  const rig = new Rig();
  rig.push(1, 2, 3, 4);
  await rig.answer(answered(400));
  assert.equal(rig.lost, 3);
  assert.deepEqual(rig.bodies, ['[1,2,3]', '[4]']);
});

test('at the end each event is tried once, without waiting', async () => {
  const rig = new Rig();
  rig.push(1, 2, 3, 4);
  await rig.answer(failed);
  rig.webhook.endWithin(10_000);
  let isClosed = false;
  const closed = rig.webhook.close().then(() => {
    isClosed = true;
  });
  assert.deepEqual(rig.bodies.slice(1), ['[1,2,3]']);
  await rig.answer(failed);
  assert.deepEqual(rig.bodies.slice(2), ['[4]']);
  assert.equal(isClosed, false);
  await rig.answer(answered(200));
  await closed;
  assert.equal(rig.lost, 3);
});

test('at the end of the time to drain, nothing is waited for', async () => {
  const rig = new Rig();
  rig.push(1, 2, 3, 4, 5);
  rig.webhook.endWithin(10_000);
  const closed = rig.webhook.close();
  rig.clock.pass(10_000);
  await closed;
  assert.equal(rig.lost, 5);
  rig.push(6);
  assert.equal(rig.lost, 6);
});

test('a reload sends what waits elsewhere, makes the queue shorter, and empties it', async () => {
  const rig = new Rig();
  rig.push(1, 2, 3, 4, 5, 6);
  rig.settings = { ...rig.settings, url: 'http://other.example/', token: '', queueMax: 2 };
  rig.webhook.applySettings();
  assert.equal(rig.lost, 1);
  await rig.answer(failed);
  assert.deepEqual(
    rig.posts.map(({ url, body }) => `${url} ${body}`),
    ['https://hook.example/secret [1,2,3]', 'http://other.example/ [1,2,3]'],
  );
  rig.settings = { ...rig.settings, url: '' };
  rig.webhook.applySettings();
  assert.equal(rig.lost, 6);
  rig.push(7);
  await rig.answer(failed);
  rig.clock.pass(100_000);
  assert.equal(rig.posts.length, 2);
  assert.equal(rig.lost, 6);
  assert.deepEqual(rig.warnings, []);
});
