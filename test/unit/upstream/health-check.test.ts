import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { after, test } from 'node:test';
import type { HealthCheckSettings } from '../../../src/config/shape.ts';
import { HealthCheck, reasonOf } from '../../../src/upstream/health-check.ts';
import { linkTo } from '../../support/made-origin.ts';
import { startOrigin } from '../../support/origin.ts';
import { freePort, until } from '../../support/wormgate.ts';

const settings: HealthCheckSettings = {
  ...{ path: '/up', intervalMs: 10, timeoutMs: 5000, host: '', rise: 1, fall: 1 },
  statuses: [[200, 299]],
};

/** A check of a port, and what came of it so far. */
function checkOf(port: number, more: Partial<HealthCheckSettings> = {}) {
  const results: (string | undefined)[] = [];
  const check = new HealthCheck(linkTo(port), (failure) => results.push(failure));
  after(() => check.stop());
  check.configure({ ...settings, ...more });
  return { check, results };
}

async function resultOf(handler: RequestListener, more: Partial<HealthCheckSettings> = {}) {
  const { port } = await startOrigin({ after }, handler);
  const { check, results } = checkOf(port, more);
  await until(() => results.length >= 2);
  check.stop();
  return results[1];
}

test('a good status passes, any other says which it was', async () => {
  assert.equal(await resultOf((_req, res) => res.end('fine')), undefined);
  assert.equal(await resultOf((_req, res) => res.writeHead(404).end()), 'status 404');
});

test('an answer that never ends passes all the same, and the next check is made', async () => {
  const endless: RequestListener = (_req, res) => void res.write('and so on');
  assert.equal(await resultOf(endless), undefined);
});

test('no answer in time, none at all, and no connection are failures', async () => {
  assert.equal(await resultOf(() => {}, { timeoutMs: 50 }), 'no answer within 0.05 s');
  assert.equal(await resultOf((req) => req.socket.destroy()), 'socket hang up');
  const { results } = checkOf(await freePort());
  await until(() => results.length > 0);
  assert.match(results[0] ?? '', /ECONNREFUSED/);
});

test('a switch of protocols is no answer', async () => {
  const switching: RequestListener = (req) =>
    void req.socket.end('HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  assert.equal(await resultOf(switching), 'closed without an answer');
});

test('the same settings begin nothing anew; once stopped it tells nothing more', async () => {
  let count = 0;
  const { port } = await startOrigin({ after }, (_req, res) => {
    count += 1;
    res.end();
  });
  const { check, results } = checkOf(port, { intervalMs: 60_000 });
  await until(() => results.length === 1);
  check.configure({ ...settings, intervalMs: 60_000 });
  check.configure({ ...settings, intervalMs: 59_000 });
  await until(() => results.length === 2);
  assert.equal(count, 2);
  check.configure({ ...settings, path: '/other' });
  check.configure(undefined);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(results.length, 2);
});

test('a reason is one short line of printable ASCII', () => {
  assert.equal(reasonOf(new Error('a\r\nb\u00e9c')), 'a b c');
  assert.equal(reasonOf(new Error('x'.repeat(1000))).length, 200);
  const long = Object.assign(new Error('40:error:0A:SSL routines'), { reason: 'wrong version' });
  assert.equal(reasonOf(long), 'wrong version');
  assert.equal(reasonOf(Object.assign(new Error(''), { code: 'ECONNREFUSED' })), 'ECONNREFUSED');
});
