/** The order, the clock and the times of a log's lines, against what is plain to see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LogClock, tardyMsMax } from '../../src/tuning/log-clock.ts';
import { LogLineReader } from '../../src/tuning/log-line.ts';
import { LogOrder } from '../../src/tuning/log-order.ts';
import { LogTimeReader } from '../../src/tuning/log-time.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** `06/Aug/2001:09:58:58 +0000` of whole seconds since the epoch. */
function timeText(seconds: number): string {
  const date = new Date(seconds * 1_000);
  const day = `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  const hours = two(date.getUTCHours());
  return `${day}:${hours}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

interface Line {
  readonly seconds: number;
  readonly id: number;
}

/** Every other one is a refusal, of which the Referer matters. */
function statusOf(id: number): number {
  return (id % 2 === 0 ? 200 : 400) + (id % 100);
}

/** Lines as a log holds them, through the order. */
function ordered(lines: readonly Line[]): Line[] {
  const out: Line[] = [];
  const reader = new LogLineReader(65_536);
  const order = new LogOrder((request) => {
    const [, id = '', status = ''] =
      /^GET \/(\d+)x* HTTP\/1\.1 (\d+)$/.exec(`${request.requestLine()} ${request.status}`) ?? [];
    assert.equal(Number(status), statusOf(Number(id)));
    assert.equal(request.client(), `c${id}`);
    assert.equal(request.text(), request.requestLine().slice(4));
    assert.equal(request.line, Number(id) + 1);
    const isRefused = request.status >= 400;
    assert.equal(request.referer(), isRefused ? `http://${id}.example/${id}` : undefined);
    out.push({ seconds: request.atMs / 1_000, id: Number(id) });
  });
  for (const { seconds, id } of lines) {
    const target = `${id}${'x'.repeat((id * 7) % 50)}`;
    const end = `${statusOf(id)} 7 "http://${id}.example/${id}" "agent"`;
    // An escape has the request kept apart from its line.
    const written = id % 3 === 0 ? '\\x78' : 'x';
    const text = `c${id} - - [${timeText(seconds)}] "GET /${target}${written} HTTP/1.1" ${end}`;
    const bytes = Buffer.from(text);
    assert.equal(reader.read(bytes, 0, bytes.length), 'request');
    reader.line = id + 1;
    order.push(reader);
  }
  order.flush();
  return out;
}

test('lines that are late by less than what is held back come out sorted, those of one second as they came', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ step: fc.nat(2), late: fc.nat(30) }), { maxLength: 200 }),
      fc.constantFrom(1, 100),
      (steps, copies) => {
        let seconds = 1_000_000_000;
        const lines: Line[] = [];
        for (let copy = 0; copy < copies; copy += 1) {
          for (const { step, late } of steps) {
            seconds += step;
            lines.push({ seconds: seconds - late, id: lines.length });
          }
        }
        const sorted = lines.toSorted(
          (one, other) => one.seconds - other.seconds || one.id - other.id,
        );
        assert.deepEqual(ordered(lines), sorted);
      },
    ),
    { numRuns: 30, seed: 6 },
  );
});

test('whatever their times, no line is lost and none comes twice', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 10_000_000 }), { maxLength: 300 }), (times) => {
      const lines = times.map((seconds, id) => ({ seconds, id }));
      const byId = ordered(lines).toSorted((one, other) => one.id - other.id);
      assert.deepEqual(byId, lines);
    }),
    { numRuns: 100, seed: 7 },
  );
});

test('the clock never runs backwards, and passes no time twice', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 * tardyMsMax })), (times) => {
      const clock = new LogClock();
      let before = Number.NEGATIVE_INFINITY;
      for (const atMs of times) {
        const nowMs = clock.turnTo(atMs);
        assert.ok(nowMs >= before);
        before = nowMs;
      }
      const [first = 0] = times;
      if (clock.stepBackCount === 0 && times.length > 0) {
        assert.equal(clock.elapsedMs, Math.max(...times) - first);
      }
    }),
    { seed: 8 },
  );
});

test('a time is read as it was written, in any zone, and what is none is refused', () => {
  const reader = new LogTimeReader();
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_000_000_000 }),
      fc.integer({ min: -14, max: 14 }),
      fc.constantFrom(0, 30, 45),
      (seconds, hours, minutes) => {
        const zoneSeconds = Math.sign(hours || 1) * (Math.abs(hours) * 3_600 + minutes * 60);
        if (seconds + zoneSeconds < 0) return;
        const zone = `${hours < 0 ? '-' : '+'}${two(Math.abs(hours))}${two(minutes)}`;
        const text = timeText(seconds + zoneSeconds).replace('+0000', zone);
        assert.equal(reader.read(Buffer.from(text), 0), true);
        assert.equal(reader.atMs, seconds * 1_000);
      },
    ),
    { seed: 9 },
  );
  for (const text of [
    '99/Aug/2001:09:58:58 -0600',
    '30/Feb/2001:09:58:58 -0600',
    '29/Feb/2001:09:58:58 -0600',
    '00/Aug/2001:09:58:58 -0600',
    '06/Agu/2001:09:58:58 -0600',
    '06/Aug/1969:09:58:58 -0600',
    '06/Aug/2001:24:58:58 -0600',
    '06/Aug/2001:09:60:58 -0600',
    '06/Aug/2001:09:58:61 -0600',
    '06/Aug/2001:09:58:58 -2400',
    '06/Aug/2001:09:58:58 x0600',
    '06/Aug/2001 09:58:58 -0600',
  ]) {
    assert.equal(reader.read(Buffer.from(text), 0), false, text);
  }
  assert.equal(reader.read(Buffer.from('29/Feb/2000:09:58:60 -0600'), 0), true);
});
