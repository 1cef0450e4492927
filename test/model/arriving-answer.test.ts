import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AnswerReader, ArrivingAnswer } from '../../src/delivery/arriving-answer.ts';

const head = { status: 200, reason: 'OK', lines: [], received: [], contentLength: -1 };

function silentReader(): AnswerReader {
  return { onProgress: () => {}, onCutShort: () => {}, onTooSlow: () => {} };
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('add' as const), text: fc.string({ maxLength: 40 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), which: fc.nat(5) }) },
  fc.record({ kind: fc.constant('join' as const) }),
  fc.record({ kind: fc.constant('leave' as const), which: fc.nat(5) }),
  fc.record({ kind: fc.constant('forget' as const) }),
);

test('whoever joined in time reads every byte once and in order, whatever the others do', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat(60),
      fc.array(step, { maxLength: 80 }),
      (isKept, window, steps) => {
        const arrival = new ArrivingAnswer(head, isKept, window);
        let all = '';
        /** What each reader has read, and the slices as they were handed out. */
        const readers: {
          reader: AnswerReader;
          from: number;
          slices: Buffer[];
          texts: string[];
        }[] = [];
        for (const each of steps) {
          if (each.kind === 'add') {
            const bytes = Buffer.from(`<${each.text}>`);
            arrival.add(bytes, 1, bytes.length - 1);
            all += bytes.toString('latin1', 1, bytes.length - 1);
          } else if (each.kind === 'join' && (arrival.isKept || all === '')) {
            const reader = silentReader();
            arrival.join(reader);
            readers.push({ reader, from: 0, slices: [], texts: [] });
          } else if (each.kind === 'read') {
            const found = readers[each.which];
            const slice = found && arrival.read(found.reader);
            if (found !== undefined && slice !== undefined) {
              found.slices.push(slice);
              found.texts.push(slice.toString('latin1'));
            }
          } else if (each.kind === 'leave') {
            const [left] = readers.splice(each.which, 1);
            if (left !== undefined) arrival.leave(left.reader);
          } else if (each.kind === 'forget') arrival.keepNoMore();
          if (arrival.isKept) assert.equal(arrival.content.toString('latin1'), all);
          const unread = readers.map(({ texts }) => all.length - texts.join('').length);
          if (!arrival.isKept && unread.length > 0) {
            assert.equal(arrival.isFull, Math.max(...unread) > window);
          }
        }
        for (const { reader, slices, texts } of readers) {
          texts.push(arrival.read(reader).toString('latin1'));
          assert.equal(texts.join(''), all);
          assert.deepEqual(
            slices.map((slice) => slice.toString('latin1')),
            texts.slice(0, -1),
            'not overwritten',
          );
        }
      },
    ),
  );
});

test('who fills waits until the slowest has read, and is told once', () => {
  const arrival = new ArrivingAnswer(head, false, 10);
  const [slow, quick] = [silentReader(), silentReader()];
  arrival.join(slow);
  arrival.join(quick);
  arrival.add(Buffer.alloc(20), 0, 20);
  let told = 0;
  arrival.whenRoom(() => {
    told += 1;
  });
  arrival.read(quick);
  assert.equal(told, 0);
  arrival.read(slow);
  arrival.read(slow);
  assert.equal(told, 1);
});
