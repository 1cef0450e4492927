/**
 * Chunked bodies against a naive decoder: whatever the chunks, the extensions and the cuts between
 * packets, what is passed on decodes to the same content, and holds no extension and no half line.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkScanner } from '../../src/upstream/chunk-scanner.ts';

const seed = 20260208;

interface Passed {
  readonly text: string;
  readonly scanner: ChunkScanner;
  /** Bytes behind the body. */
  readonly surplus: number;
}

/** Reads the packets one after the other, as a connection's buffer would hold them. */
function pass(packets: readonly string[]): Passed {
  const scanner = new ChunkScanner();
  scanner.begin();
  let text = '';
  for (const [index, packet] of packets.entries()) {
    // Something before and behind, as in a buffer that is used again.
    const bytes = Buffer.from(`@@@${packet}###`, 'latin1');
    scanner.read(bytes, 3, 3 + packet.length);
    if (scanner.isBroken) break;
    text += scanner.prefix + bytes.toString('latin1', scanner.passStart, scanner.passEnd);
    if (scanner.suffix !== '') text += `${scanner.suffix}${scanner.trailers}\r\n`;
    assert.equal(bytes.toString('latin1', 0, 3), '@@@');
    if (!scanner.isOver) continue;
    const later = packets.slice(index + 1).join('').length;
    return { text, scanner, surplus: 3 + packet.length - scanner.end + later };
  }
  return { text, scanner, surplus: 0 };
}

/** Content and trailers of a body whose size lines are bare; throws when it is anything else. */
function decode(text: string): { content: string; trailers: string } {
  let content = '';
  let at = 0;
  for (;;) {
    const size = /^([0-9a-fA-F]+)\r\n/.exec(text.slice(at));
    assert.ok(size !== null, `no bare size line at ${at} of ${JSON.stringify(text)}`);
    at += size[0].length;
    const length = Number.parseInt(size[1] ?? '', 16);
    if (length === 0) break;
    content += text.slice(at, at + length);
    at += length;
    assert.equal(text.slice(at, at + 2), '\r\n');
    at += 2;
  }
  assert.ok(text.slice(at) === '\r\n' || text.endsWith('\r\n\r\n'));
  return { content, trailers: text.slice(at, -2) };
}

const content = fc.string({
  unit: fc.constantFrom('a', '0', '\r', '\n', ';', '\xff'),
  maxLength: 40,
});
const extension = fc.constantFrom('', '', ';a', ';a=b', ';a="b c";d', '; x = "y"');
const chunk = fc
  .tuple(
    content.filter((text) => text !== ''),
    extension,
    fc.nat(2),
  )
  .map(([text, tail, zeros]) => ({
    text,
    sent: `${'0'.repeat(zeros)}${text.length.toString(16)}${tail}\r\n${text}\r\n`,
  }));
const trailers = fc.constantFrom('', '', 'X: y\r\n', 'A: b\r\nC: d\r\n');
const body = fc
  .tuple(fc.array(chunk, { maxLength: 5 }), extension, trailers)
  .map(([chunks, tail, lines]) => ({
    content: chunks.map(({ text }) => text).join(''),
    trailers: lines,
    sent: `${chunks.map(({ sent }) => sent).join('')}0${tail}\r\n${lines}\r\n`,
  }));

function cut(text: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((at) => at % (text.length + 1)), text.length].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

test('what is passed on decodes to what was sent, wherever the packets end', () => {
  fc.assert(
    fc.property(
      body,
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.constantFrom('', 'HTTP'),
      (sent, cuts, surplus) => {
        const passed = pass(cut(sent.sent + surplus, cuts));
        assert.ok(passed.scanner.isOver);
        assert.deepEqual(decode(passed.text), { content: sent.content, trailers: sent.trailers });
        assert.equal(passed.scanner.contentBytes, sent.content.length);
        assert.equal(passed.scanner.trailers, sent.trailers);
        assert.equal(passed.surplus, surplus.length);
      },
    ),
    { seed, numRuns: 2000 },
  );
});

test('half a body is neither over nor broken, and no extension of it is passed on', () => {
  fc.assert(
    fc.property(body, fc.nat(), fc.array(fc.nat(), { maxLength: 3 }), (whole, end, cuts) => {
      fc.pre(!whole.content.includes(';'));
      const half = whole.sent.slice(0, end % whole.sent.length);
      const { scanner, text } = pass(cut(half, cuts));
      assert.ok(!scanner.isOver && !scanner.isBroken);
      assert.ok(!text.includes(';'));
    }),
    { seed, numRuns: 1000 },
  );
});

test('what is no chunked body is broken', () => {
  const broken = [
    'g\r\n',
    '\r\n',
    ' 5\r\n',
    '5 \r\nhello\r\n',
    '5\nhello\r\n',
    '5\rhello\r\n',
    '-5\r\nhello\r\n',
    '0x5\r\nhello\r\n',
    '5\r\nhelloX\n',
    '5\r\nhello\rX',
    '5;\0\r\nhello\r\n',
    '5;a\nhello\r\n',
    `${'1'.repeat(14)}\r\n`,
    `5;${'a'.repeat(17_000)}\r\n`,
    `0\r\n${'X: y\r\n'.repeat(4000)}\r\n`,
    '0\r\nX: y\r\n\rZ',
  ];
  for (const sent of broken) {
    assert.ok(pass([sent]).scanner.isBroken, JSON.stringify(sent.slice(0, 30)));
    assert.ok(
      pass([...sent]).scanner.isBroken,
      `byte by byte: ${JSON.stringify(sent.slice(0, 30))}`,
    );
  }
});

test('the largest size that can be counted is', () => {
  const { scanner } = pass([`${'f'.repeat(13)}\r\nabc`]);
  assert.ok(!scanner.isBroken);
  assert.equal(scanner.contentBytes, 3);
});
