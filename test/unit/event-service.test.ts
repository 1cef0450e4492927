/** The events put together, on a clock that is turned by hand. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EventSettings } from '../../src/config/shape.ts';
import { EventService } from '../../src/event-service.ts';
import type { AccessEntry } from '../../src/log/access.ts';
import { LogFile } from '../../src/log/file.ts';
import { Statistics } from '../../src/statistics.ts';
import type { Cleanup } from '../support/cleanup.ts';
import { HandClock } from '../support/hand-clock.ts';
import { accelerator, settingsOf } from '../support/settings-text.ts';

const slipped: AccessEntry = {
  client: '192.0.2.1',
  atMs: 1_000_000_000_000,
  requestLine: 'GET /x HTTP/1.0',
  outcome: {
    kind: 'slipped',
    reason: { matched: Buffer.from('x HTTP/1.0'), from: 'shipped', requestId: 'a-1' },
  },
};

function serviceWith(t: Cleanup, ...lines: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-events-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new HandClock();
  const statistics = new Statistics();
  const path = join(folder, 'events');
  const file = new LogFile({ path, backlogBytesMax: 1_000_000, clock, statistics });
  const read = (more: readonly string[]): EventSettings =>
    settingsOf(`${accelerator}\n[Events]\n${more.join('\n')}`).events;
  let settings = read(lines);
  const service = new EventService({
    settings: () => settings,
    file: () => (settings.logFile === '' ? undefined : file),
    clock,
    statistics,
    warn: (sentence) => assert.fail(sentence),
    lookUp: () => Promise.reject(new Error('no names here')),
  });
  return {
    clock,
    statistics,
    service,
    reload: (...more: string[]) => {
      settings = read(more);
      service.applySettings();
    },
    events: async (): Promise<Record<string, unknown>[]> => {
      await file.flush();
      const text = readFileSync(path, 'latin1');
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    },
    close: async () => {
      await service.close();
      await file.close();
    },
  };
}

test('a second later, one event says how many of each kind were omitted', async (t) => {
  const { clock, statistics, service, events, close } = serviceWith(
    t,
    ...['EventLog=events', 'EventsPerSecond=2'],
  );
  for (let times = 0; times < 80_000; times += 1) service.noteAccess(slipped);
  for (const name of ['a', 'b', 'c']) service.noteOrigin(`http://${name}:80`, 'down', 'status 500');
  clock.pass(999);
  assert.equal((await events()).length, 4);
  clock.pass(1);
  const time = '2001-09-09T01:46:41.000Z';
  assert.deepEqual((await events()).slice(4), [
    { time, kind: 'blocked', omitted: 79_998 },
    { time, kind: 'origin', omitted: 1 },
  ]);
  service.noteAccess(slipped);
  clock.pass(5000);
  assert.deepEqual(
    (await events()).slice(6).map(({ kind, omitted }) => [kind, omitted]),
    [['blocked', undefined]],
  );
  assert.equal(statistics.get('events'), 7);
  assert.equal(statistics.get('event_lines'), 7);
  assert.equal(statistics.get('events_omitted'), 79_999);
  await close();
});

test('the end does not wait for the second to tell what was omitted', async (t) => {
  const { service, events, close } = serviceWith(t, 'EventLog=events', 'EventsPerSecond=1');
  service.noteAccess(slipped);
  service.noteAccess(slipped);
  await close();
  assert.deepEqual(
    (await events()).map(({ omitted }) => omitted),
    [undefined, 1],
  );
});

test('kinds that are not wanted are neither made nor counted, and a reload changes which', async (t) => {
  const { statistics, service, events, reload, close } = serviceWith(t);
  const all = () => {
    service.noteAccess(slipped);
    service.noteAlert({ event: 'dropping', source: '10.0.0.1', waiting: 9, dropped: 1, atMs: 0 });
    service.noteOrigin('http://a:80', 'up', 'status 500');
  };
  all();
  assert.equal(statistics.get('events'), 0);
  reload('EventLog=events', 'EventKinds=origin, throttle');
  all();
  reload('EventLog=events', 'EventKinds=blocked');
  all();
  reload();
  all();
  const [throttle, origin, blocked, ...more] = await events();
  assert.deepEqual(throttle, {
    ...{ time: '1970-01-01T00:00:00.000Z', kind: 'throttle', alert: 'dropping' },
    ...{ source: '10.0.0.1', waiting: 9, dropped: 1 },
  });
  assert.equal(origin?.state, 'up');
  assert.equal(origin?.why, null);
  assert.equal(blocked?.kind, 'blocked');
  assert.deepEqual(more, []);
  await close();
});
