/**
 * The request head scanner against a naive reader of regular expressions: the same verdict and the same
 * fields, whatever is sent, and no prefix of a whole head that is taken for anything but incomplete.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inTheClear } from '../../src/http/arrival.ts';
import { originHead, tracedHead } from '../../src/http/origin-head.ts';
import { outgoingHeaders } from '../../src/http/outgoing-headers.ts';
import { fieldKinds, HeadScanner } from '../../src/http/request-head.ts';
import { SiteMemory } from '../../src/http/site-memory.ts';
import { traceOf } from '../../src/http/tracing.ts';
import { TraceIds } from '../../src/log/trace-ids.ts';
import { Tracer } from '../../src/log/tracer.ts';
import type { HeaderLine } from '../../src/upstream/hop-by-hop.ts';
import { SiteTable } from '../../src/upstream/origins.ts';
import { PatternSet } from '../../src/virus/pattern-set.ts';
import { Screen } from '../../src/virus/screen.ts';

const seed = 20260207;

const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,23}) (\/[\x21-\x7e]*)( +)HTTP\/1\.([01])\r\n/;
const visible = '[\\x21-\\x7e\\x80-\\xff]';
const fieldLine = new RegExp(
  `^([!#$%&'*+\\-.^\`|~0-9A-Za-z]+): (${visible}(?:[\\t\\x20-\\x7e\\x80-\\xff]*${visible})?)$`,
);
const odd = new Set(['transfer-encoding', 'upgrade', 'expect', 'proxy-connection']);

interface Model {
  readonly line: readonly string[];
  readonly fields: readonly (readonly [string, string])[];
}

/** The whole head, or undefined when it is not one that is ordinary in its form. */
function modelHead(head: string): Model | undefined {
  const line = requestLine.exec(head);
  if (line === null || !head.endsWith('\r\n\r\n')) return undefined;
  const rest = head.slice(line[0].length, -2);
  const fields: [string, string][] = [];
  const names = new Set<string>();
  for (const text of rest === '' ? [] : rest.slice(0, -2).split('\r\n')) {
    const field = fieldLine.exec(text);
    if (field === null) return undefined;
    const [, name = '', value = ''] = field;
    const key = name.toLowerCase();
    if (names.has(key) || odd.has(key)) return undefined;
    if (key === 'content-length' && !/^\d{1,15}$/.test(value)) return undefined;
    if (key === 'connection' && !/^(close|keep-alive)$/i.test(value)) return undefined;
    names.add(key);
    fields.push([name, value]);
  }
  return fields.length > 128 ? undefined : { line: line.slice(1), fields };
}

const name = fc.oneof(
  fc.constantFrom('Host', 'host', 'Accept', 'X-Y', 'Connection', 'Content-Length', 'Via', 'TE'),
  fc.constantFrom('X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded'),
  fc.constantFrom('Keep-Alive', 'Upgrade', 'Transfer-Encoding', 'Trailer', 'Cookie', 'x_y'),
  fc.constantFrom('Traceparent', 'tracestate', 'traceparent-x'),
  fc.stringMatching(/^[A-Za-z0-9!#$.-]{1,12}$/),
);
const value = fc.oneof(
  fc.constantFrom(
    'a',
    'close',
    'keep-alive',
    '3',
    '03',
    '1234567890123456',
    'a b',
    'gzip, br',
    'é',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ),
  fc.stringMatching(/^[\x21-\x7e][\x20-\x7e]{0,20}$/),
);
const field = fc.tuple(name, value).map(([key, text]) => `${key}: ${text}\r\n`);
const line = fc
  .tuple(
    fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS', 'FOO', 'get'),
    fc.stringMatching(/^\/[\x21-\x7e]{0,30}$/),
    fc.constantFrom(' ', '  '),
    fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2'),
  )
  .map(([method, target, blanks, version]) => `${method} ${target}${blanks}${version}\r\n`);
const sound = fc
  .tuple(line, fc.array(field, { maxLength: 6 }))
  .map(([first, fields]) => `${first}${fields.join('')}\r\n`);
/** A head with one byte changed, put in or left out. */
const mutated = fc
  .tuple(
    sound,
    fc.nat(),
    fc.constantFrom('', '\0', '\r', '\n', ' ', '\t', ':', '\x7f', '\xff', 'x'),
    fc.nat(1),
  )
  .map(([head, at, byte, removed]) => {
    const index = at % head.length;
    return head.slice(0, index) + byte + head.slice(index + removed);
  });

function read(scanner: HeadScanner, head: string, end = head.length): string {
  const bytes = Buffer.from(head, 'latin1');
  const reading = scanner.readLine(bytes, end);
  return reading === 'whole' ? scanner.readFields(bytes, end) : reading;
}

test('reads what the model reads, and nothing else', () => {
  const scanner = new HeadScanner();
  fc.assert(
    fc.property(fc.oneof(sound, mutated), (head) => {
      const model = modelHead(head);
      const reading = read(scanner, head);
      if (model === undefined) {
        // Half a head may still become whole; what is whole here is a shorter head within the bytes.
        if (reading === 'whole') assert.ok(modelHead(head.slice(0, scanner.end)) !== undefined);
        return;
      }
      assert.equal(reading, 'whole');
      assert.equal(scanner.end, head.length);
      const [method = '', target = '', blanks = '', minor = ''] = model.line;
      assert.equal(head.slice(0, scanner.methodEnd), method);
      assert.equal(head.slice(scanner.targetStart, scanner.targetEnd), target);
      assert.equal(scanner.hasManyBlanks, blanks.length > 1);
      assert.equal(scanner.minorVersion, Number(minor));
      assert.equal(scanner.mayNormalize, /%|\\|\/\/|\/\./.test(target));
      assert.equal(scanner.fieldCount, model.fields.length);
      for (const [index, [key, text]] of model.fields.entries()) {
        assert.equal(head.slice(scanner.valueStarts[index], scanner.valueEnds[index]), text);
        assert.equal(
          head.slice(scanner.nameStarts[index], (scanner.valueStarts[index] ?? 0) - 2),
          key,
        );
      }
      const length = model.fields.find(([key]) => key.toLowerCase() === 'content-length')?.[1];
      assert.equal(scanner.contentLength, Number(length ?? 0));
      const host = model.fields.findIndex(([key]) => key.toLowerCase() === 'host');
      assert.equal(scanner.hostIndex, host);
    }),
    { seed, numRuns: 2000 },
  );
});

test('no prefix of a whole head is whole or odd', () => {
  const scanner = new HeadScanner();
  const ordinary = sound.filter(
    (head) => /^(GET|HEAD|POST|OPTIONS) /.test(head) && modelHead(head) !== undefined,
  );
  fc.assert(
    fc.property(ordinary, (head) => {
      for (let end = 0; end < head.length; end += 1) {
        assert.equal(read(scanner, head.slice(0, end)), 'incomplete', `at ${end}`);
      }
    }),
    { seed, numRuns: 200 },
  );
});

test('what can begin no method that everybody knows is odd at once', () => {
  const scanner = new HeadScanner();
  assert.equal(read(scanner, 'G'), 'incomplete');
  assert.equal(read(scanner, 'OPTIONS'), 'incomplete');
  assert.equal(read(scanner, 'g'), 'odd');
  assert.equal(read(scanner, 'GETX'), 'odd');
});

test('the origin is sent the lines that the front sends it', () => {
  const scanner = new HeadScanner();
  const table = new SiteTable([]);
  const tracer = new Tracer({
    sampleRatio: 0.5,
    ids: new TraceIds(),
    random: Math.random,
    upMs: () => 0,
    record: () => {},
  });
  fc.assert(
    fc.property(
      sound,
      fc.boolean(),
      fc.constantFrom('192.0.2.7', '2001:db8::7'),
      fc.boolean(),
      (head, peerTrusted, peer, isTraced) => {
        const model = modelHead(head);
        fc.pre(model !== undefined && model.line[3] === '1' && model.line[2] === ' ');
        assert.equal(read(scanner, head), 'whole');
        const host = model.fields.find(([key]) => key.toLowerCase() === 'host')?.[1] ?? '';
        fc.pre(host !== '');
        const memory = new SiteMemory(peer, { listen: '127.0.0.1:80', arrival: inTheClear });
        memory.look(table, host);
        memory.peerTrusted = peerTrusted;
        const trace = isTraced ? traceOf(model.fields.flat(), host, tracer) : undefined;
        const lines = outgoingHeaders(model.fields.flat(), {
          peer,
          peerTrusted,
          proto: 'http',
          host,
          hostFromTarget: false,
          httpVersion: '1.1',
          chunked: false,
          trace,
        });
        const first = head.slice(0, head.indexOf('\r\n') + 2);
        const expected = [...grouped(lines), ['Connection', 'keep-alive'] as const];
        const text = expected.map(([key, item]) => `${key}: ${item}\r\n`).join('');
        const sent = originHead(scanner, head, memory.forwarder);
        assert.equal(trace ? tracedHead(sent, trace) : sent, `${first}${text}\r\n`);
      },
    ),
    { seed, numRuns: 2400 },
  );
});

/** Lines of one name behind the first of them, under its spelling, as Node writes them. */
function grouped(lines: readonly HeaderLine[]): HeaderLine[] {
  const groups = new Map<string, HeaderLine[]>();
  for (const [key, text] of lines) {
    const group = groups.get(key.toLowerCase()) ?? [];
    groups.set(key.toLowerCase(), [...group, [group[0]?.[0] ?? key, text]]);
  }
  return [...groups.values()].flat();
}

test('a target that the scanner calls plain has no second reading', () => {
  const scanner = new HeadScanner();
  const set = new PatternSet({ patternSize: 8, maxPatterns: 1000, seed: 7 });
  for (const pattern of ['cmd.exe?', 'a/b HTTP', 'x HTTP/1'])
    set.add(Buffer.from(pattern), 9, 'console', 0);
  const screen = new Screen(set, { patternStartOffset: 1, normalizeRequests: true });
  const target = fc.stringMatching(/^\/[%\\/.2fFeExamdcb?0-9]{0,24}$/);
  fc.assert(
    fc.property(target, fc.constantFrom(' ', '  ', '   '), (path, blanks) => {
      const head = `GET ${path}${blanks}HTTP/1.1\r\n`;
      const bytes = Buffer.from(head, 'latin1');
      assert.equal(scanner.readLine(bytes, bytes.length), 'whole');
      const { targetStart, lineEnd, mayNormalize, hasManyBlanks } = scanner;
      assert.equal(
        screen.screenBytes(bytes, targetStart, lineEnd, mayNormalize || hasManyBlanks),
        screen.screen(head.slice(4, -2)),
      );
    }),
    { seed, numRuns: 2000 },
  );
});

test('every kind of field has a name that is found in any case', () => {
  const scanner = new HeadScanner();
  const names = {
    Via: fieldKinds.via,
    'X-FORWARDED-FOR': fieldKinds.forwardedFor,
    te: fieldKinds.dropped,
  };
  for (const [key, kind] of Object.entries(names)) {
    assert.equal(read(scanner, `GET / HTTP/1.1\r\n${key}: x\r\n\r\n`), 'whole');
    assert.equal(scanner.kinds[0], kind);
  }
});
