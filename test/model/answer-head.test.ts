/**
 * The answer head scanner against a naive reader, and the heads that are written from it: the one that
 * is moved in place is the one that is written anew, and both are what the front would send.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerScanner } from '../../src/upstream/answer-head.ts';
import { answerText, compactHead, type Framing } from '../../src/upstream/answer-text.ts';
import { linesText, withoutHopByHop } from '../../src/upstream/hop-by-hop.ts';

const seed = 20260209;
const clock = { nowMs: () => Date.UTC(2026, 1, 9, 8, 12, 31) };

const statusLine = /^HTTP\/1\.([01]) (\d{3})(?:( )([^\r\n]*))?$/;
const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;

interface Model {
  readonly status: number;
  readonly minor: number;
  readonly line: string;
  readonly fields: readonly (readonly [string, string])[];
}

function hasControls(text: string): boolean {
  return [...text].some(
    (character) => (character < ' ' && character !== '\t') || character === '\x7f',
  );
}

/** The whole head, or undefined when it is none. */
function modelHead(head: string): Model | undefined {
  if (!head.endsWith('\r\n\r\n')) return undefined;
  const [first = '', ...lines] = head.slice(0, -4).split('\r\n');
  const status = statusLine.exec(first);
  if (status === null || Number(status[2]) < 100 || hasControls(first)) return undefined;
  const fields: [string, string][] = [];
  for (const line of lines) {
    const field = fieldLine.exec(line);
    if (field === null || hasControls(line)) return undefined;
    fields.push([field[1] ?? '', field[2] ?? '']);
  }
  const valuesOf = (name: string) => fields.filter(([key]) => key.toLowerCase() === name);
  const lengths = valuesOf('content-length');
  const codings = valuesOf('transfer-encoding');
  if (lengths.length > 1 || lengths.some(([, value]) => !/^\d{1,15}$/.test(value)))
    return undefined;
  if (codings.length > 1 || codings.some(([, value]) => !/^chunked$/i.test(value)))
    return undefined;
  if (lengths.length > 0 && codings.length > 0) return undefined;
  return {
    status: Number(status[2]),
    minor: Number(status[1]),
    line: `${status[2]} ${status[4] ?? ''}`,
    fields,
  };
}

const field = fc
  .tuple(
    fc.constantFrom(
      ...['Date', 'Server', 'Content-Length', 'content-length', 'Transfer-Encoding', 'Connection'],
      ...['Keep-Alive', 'Trailer', 'X-Y', 'Upgrade', 'Set-Cookie', 'Proxy-Authenticate', 'TE'],
    ),
    fc.constantFrom(': ', ': ', ': ', ':', ':  ', ':\t'),
    fc.constantFrom(
      '5',
      '05',
      'x',
      'chunked',
      'close',
      'keep-alive',
      'X-Y, close',
      'timeout=5',
      'a b',
      '',
    ),
    fc.constantFrom('', '', '', ' ', '\t'),
  )
  .map((parts) => `${parts.join('')}\r\n`);
const line = fc.constantFrom(
  ...[
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 ',
    'HTTP/1.1 200',
    'HTTP/1.0 404 Not Found',
    'HTTP/1.1 204 No',
  ],
  ...[
    'HTTP/1.1 099 Low',
    'HTTP/1.1 2000 Long',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/1.1 999 \xe9',
  ],
);
const sound = fc
  .tuple(line, fc.array(field, { maxLength: 6 }))
  .map(([first, fields]) => `${first}\r\n${fields.join('')}\r\n`);
const mutated = fc
  .tuple(sound, fc.nat(), fc.constantFrom('', '\0', '\r', '\n', ' ', ':', '\x7f', 'x'), fc.nat(1))
  .map(([head, at, byte, removed]) => {
    const index = at % head.length;
    return head.slice(0, index) + byte + head.slice(index + removed);
  });

test('reads what the model reads, and nothing else', () => {
  const scanner = new AnswerScanner();
  fc.assert(
    fc.property(fc.oneof(sound, mutated), (head) => {
      const bytes = Buffer.from(`@@${head}`, 'latin1');
      const reading = scanner.read(bytes, 2, bytes.length);
      const model = modelHead(head);
      if (model === undefined) {
        if (reading === 'whole') assert.ok(modelHead(head.slice(0, scanner.end - 2)) !== undefined);
        return;
      }
      assert.equal(reading, 'whole');
      assert.equal(scanner.end, bytes.length);
      assert.equal(scanner.status, model.status);
      assert.equal(scanner.minorVersion, model.minor);
      assert.deepEqual(scanner.rawHeaders(bytes), model.fields.flat());
      const first = (name: string) => model.fields.find(([key]) => key.toLowerCase() === name)?.[1];
      assert.equal(scanner.contentLength, Number(first('content-length') ?? -1));
      assert.equal(scanner.isChunked, first('transfer-encoding') !== undefined);
      assert.equal(scanner.hasDate, first('date') !== undefined);
    }),
    { seed, numRuns: 2500 },
  );
});

test('no prefix of a whole head is whole or odd', () => {
  const scanner = new AnswerScanner();
  fc.assert(
    fc.property(
      sound.filter((head) => modelHead(head) !== undefined),
      (head) => {
        const bytes = Buffer.from(head, 'latin1');
        for (let end = 0; end < bytes.length; end += 1) {
          // What contradicts itself is odd as soon as it does; this one does not.
          assert.equal(scanner.read(bytes, 0, end), 'incomplete', `at ${end}`);
        }
      },
    ),
    { seed, numRuns: 200 },
  );
});

test('the head that is written has the lines that are passed on, and our own behind them', () => {
  const scanner = new AnswerScanner();
  const framings = fc.constantFrom<Framing>('none', 'length', 'chunked');
  fc.assert(
    fc.property(sound, framings, fc.boolean(), (head, framing, closes) => {
      const model = modelHead(head);
      fc.pre(model !== undefined && model.status >= 200);
      const bytes = Buffer.from(`@@${head}body`, 'latin1');
      assert.equal(scanner.read(bytes, 2, bytes.length), 'whole');
      const kept = withoutHopByHop(model.fields.flat()).filter(([name]) => {
        const key = name.toLowerCase();
        if (key === 'content-length') return model.status !== 204;
        return key !== 'trailer' || framing === 'chunked';
      });
      const ownDate = model.fields.some(([name]) => name.toLowerCase() === 'date');
      const expected =
        `HTTP/1.1 ${model.line}\r\n${linesText(kept)}` +
        (ownDate ? '' : 'Date: Mon, 09 Feb 2026 08:12:31 GMT\r\n') +
        (closes ? 'Connection: close\r\n' : '') +
        (framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : '');
      assert.equal(
        answerText(scanner, bytes, { framing, closes, addedLines: '' }, clock),
        `${expected}\r\n`,
      );
      const start = compactHead(scanner, bytes, { framing, closes, addedLines: '' });
      if (start < 0) return;
      assert.equal(bytes.toString('latin1', start), `${expected}\r\nbody`);
    }),
    { seed, numRuns: 2500 },
  );
});

test('how long the connection lasts is read from Connection, Keep-Alive and the version', () => {
  const scanner = new AnswerScanner();
  const read = (text: string) => {
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(scanner.read(bytes, 0, bytes.length), 'whole');
    return { willClose: scanner.willClose, seconds: scanner.keepAliveSeconds };
  };
  assert.deepEqual(read('HTTP/1.1 200 OK\r\n\r\n'), { willClose: false, seconds: -1 });
  assert.deepEqual(read('HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\n\r\n'), {
    willClose: true,
    seconds: -1,
  });
  assert.deepEqual(read('HTTP/1.0 200 OK\r\n\r\n'), { willClose: true, seconds: -1 });
  assert.deepEqual(
    read('HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5, max=9\r\n\r\n'),
    {
      willClose: false,
      seconds: 5,
    },
  );
});

test('more lines than Node hands on are no head', () => {
  const scanner = new AnswerScanner();
  const read = (count: number) => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${'a:\r\n'.repeat(count)}\r\n`, 'latin1');
    return scanner.read(bytes, 0, bytes.length);
  };
  assert.equal(read(999), 'whole');
  assert.equal(read(1000), 'odd');
});
