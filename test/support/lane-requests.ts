/** Random requests for the comparison of the two lanes: sound ones, odd ones, and ones that are none. */
import fc from 'fast-check';

type Weighted = readonly (readonly [weight: number, values: readonly string[]])[];

function oneOf(groups: Weighted): fc.Arbitrary<string> {
  return fc.oneof(
    ...groups.map(([weight, values]) => ({ weight, arbitrary: fc.constantFrom(...values) })),
  );
}

const method = oneOf([
  [12, ['GET', 'GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']],
  [2, ['get', 'Get', 'PRI', 'FOO', 'M-SEARCH', 'QUERY', 'SOURCE', 'CONNECT', 'X'.repeat(300)]],
  [1, ['', 'GE T', 'G\tT', "G'T", 'G@T', 'G(T', 'G\0T', 'G\xe9T', 'GET:', '0', ' GET', 'HTTP/1.1']],
]);

const target = oneOf([
  [12, ['/', '/a', '/a?b=c', '/a/b.html', '/%41%20', '/a//b/../c', '/~x;y=1', '/?']],
  [3, ['*', 'http://a/x', 'http://b', 'https://a:80/y', 'HTTP://A/', '//', '/%', '/%00', '/a\\b']],
  [
    2,
    [
      '',
      'a',
      '?x',
      '/a b',
      '/a#b',
      '/\x7f',
      '/\xe9',
      '/\0',
      '/\t',
      '/"<>`{}|^',
      'http:///',
      'ftp://a/',
    ],
  ],
  [
    1,
    [`/${'y'.repeat(500)}`, 'http://a b/', 'http://@/', 'a:80', '/ ', '/\x0b', 'http://a?x', '/[]'],
  ],
]);

const version = oneOf([
  [20, ['HTTP/1.1']],
  [4, ['HTTP/1.0']],
  [2, ['HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 ', '', 'HTTP/01.1', 'RTSP/1.0']],
  [1, ['HTTP/1.', 'HTTP/1.11', 'ICE/1.0', 'HTTP/1', 'HTTP/1.1\t', 'HTTP /1.1', 'HTTPS/1.1', 'X']],
]);

const blank = oneOf([
  [30, [' ']],
  [2, ['  ', '   ', '\t', '', ' \t', '\x0b', '\xa0', '\r']],
]);

const lineEnd = oneOf([
  [60, ['\r\n']],
  [2, ['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\t\r\n', '\0\r\n']],
]);

const hosts = [
  'Host: a',
  'Host:a',
  'host: A',
  'HOST: \t a \t',
  'Host: a:8080',
  'Host: a.b.example',
];
const oddHosts = [
  'Host:',
  'Host: ',
  'Host: a b',
  'Host: a,b',
  'Host: a/b',
  'Host: a@b',
  'Host: [::1]:80',
  'Host: [::1',
  'Host: a:x',
  'Host: \xe9',
  'Host : a',
  'Host: a:999999',
  'Host: %41',
];

const lengths = [
  'Content-Length: 3',
  'content-length:3',
  'CONTENT-LENGTH: \t3\t',
  'Content-Length: 0',
];
const oddLengths = [
  'Content-Length: 03',
  'Content-Length: 00',
  'Content-Length: +3',
  'Content-Length: -3',
  'Content-Length: 3,3',
  'Content-Length: 3, 3',
  'Content-Length: 3 3',
  'Content-Length: 0x3',
  'Content-Length:',
  'Content-Length: a',
  'Content-Length: 3.0',
  'Content-Length: 99999999999999999999999',
  'Content-Length: 9007199254740993',
  'Content-Length: 2000000000',
  'Content-Length : 3',
  'Content_Length: 3',
  'Content-Length: 3\x0b',
];

const codings = [
  'Transfer-Encoding: chunked',
  'transfer-encoding:Chunked',
  'Transfer-Encoding: chunked ',
];
const oddCodings = [
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding:',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked;a=b',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\x0bchunked',
  'TE: trailers',
];

const ordinary = [
  'User-Agent: test/1.0 (x; y)',
  'Accept: */*',
  'Accept: application/json',
  'Accept: text/html, Application/JSON;q=0.9',
  'Accept: a\r\nAccept: application/json',
  'Accept-Encoding: gzip, deflate',
  'Cookie: a=b; c=d',
  'Cookie: a=b\r\nCookie: e=f',
  'X-A: 1\r\nx-b: 2\r\nX-a: 3',
  'X-Empty:',
  'X-Blank: \t ',
  'X-Wide:   a   b  ',
  'X-High: \x80\xff',
  'Referer: http://a/?x=<y>"z"',
  'Authorization: Basic YTpi',
  'Range: bytes=0-1',
  'If-None-Match: "x"',
  'Date: Tue, 15 Nov 1994 08:12:31 GMT',
  "!#$%&'*+-.^_`|~09: token",
  `X-Long: ${'z'.repeat(300)}`,
  'Set-Cookie: odd\r\nSet-Cookie: here',
  'X-Request-Id: own',
  'Content-Type: text/plain\r\nContent-Type: a/b',
  '__proto__: x',
  'constructor: y\r\nConstructor: z',
  'toString: 1',
];

const hopByHop = [
  'Connection: close',
  'Connection: Close',
  'connection: keep-alive',
  'Connection: x-a, X-Hop\r\nX-Hop: 1',
  'Connection: close, x-a',
  'Connection: keep-alive\r\nConnection: close',
  'Connection: ,, x-a ,',
  'Connection:',
  'Connection: content-length, host',
  'Connection: transfer-encoding',
  'Connection: cookie, authorization',
  'Connection: xclose',
  'Connection: keep-alive, close',
  'Proxy-Connection: keep-alive',
  'Proxy-Connection: close',
  'Keep-Alive: timeout=5',
  'Proxy-Authorization: x',
  'TE: trailers\r\nConnection: TE',
  'Trailer: X-Sum',
  'Upgrade: h2c',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA',
  'Connection: upgrade\r\nUpgrade: h2c',
  'Connection: Upgrade',
  'Upgrade: websocket',
];

const forwarding = [
  'X-Forwarded-For: 198.51.100.7',
  'X-Forwarded-For: nonsense',
  'X-Forwarded-Proto: https\r\nX-Forwarded-Host: other',
  'X_Forwarded_For: 198.51.100.8',
  'x-forwarded_host: b',
  'Forwarded: for=198.51.100.7',
  'Forwarded: for="[2001:db8::1]:80";proto=https, for=x',
  'Via: 1.1 other',
  'Via: 1.1 wormgate, 1.1 wormgate',
  'Via: 1.1 wormgate, 1.1 wormgate,1.0 wormgate, 1.1 wormgate (x), 1.1 wormgate',
];

const expectations = [
  'Expect: 100-continue',
  'expect: 100-Continue',
  'Expect: x',
  'Expect:',
  'Expect: 100-continue\r\nExpect: x',
];

const brokenLines = [
  'X',
  ': y',
  'X : y',
  'X y: z',
  ' X: y',
  '\tX: y',
  'X: a\r\n b',
  'X: a\r\n\tb',
  'X: a\0b',
  'X: a\x01b',
  'X: a\x7fb',
  'X: a\rb',
  'X: a\nY: b',
  'X\0: y',
  '\xe9: y',
  '"X": y',
  'X(: y',
  'X:y:z',
  'GET / HTTP/1.1',
  '\x0bX: y',
  'X: \x0by',
];

const field = oneOf([
  [20, ordinary],
  [6, hopByHop],
  [3, forwarding],
  [4, lengths],
  [1, oddLengths],
  [1, codings],
  [1, oddCodings],
  [1, expectations],
  [1, brokenLines],
  [1, oddHosts],
]);

const host = oneOf([
  [20, hosts],
  [1, ['']],
  [1, oddHosts],
]);

const ahead = oneOf([
  [30, ['']],
  [3, ['\r\n', '\r\n\r\n', '\n', '\r\n\n\r\n', '\r', ' ', '\0', '\r\n ']],
]);

const body = oneOf([
  [10, ['']],
  [8, ['abc']],
  [3, ['3\r\nabc\r\n0\r\n\r\n', '3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n', '0\r\n\r\n']],
  [
    2,
    [
      'abcdef',
      'x\r\n\r\n',
      '3\r\nabcd\r\n0\r\n\r\n',
      '\r\nabc',
      'GET /inner HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
  ],
]);

/** Where a byte stream is cut into packets, as fractions of its length. */
const cuts = fc.oneof(
  { weight: 3, arbitrary: fc.constant<number[]>([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 3 }),
  },
);

/** The text in packets, none of them empty. */
export function cutAt(text: string, fractions: readonly number[]): string[] {
  const places = fractions.map((each) => Math.floor(each * text.length)).sort((a, b) => a - b);
  const ends = [...places, text.length];
  return ends
    .map((end, index) => text.slice(ends[index - 1] ?? 0, end))
    .filter((part) => part !== '');
}

/** Anything from an ordinary request to what only looks like one. */
export const oddRequest: fc.Arbitrary<string[]> = fc
  .record({
    ahead,
    line: fc.tuple(method, blank, target, blank, version, lineEnd),
    host,
    hostIndex: fc.nat({ max: 5 }),
    fields: fc.array(fc.tuple(field, lineEnd), { maxLength: 6 }),
    body,
  })
  .map((parts) => {
    const fields = parts.fields.map(([text, end]) => text + end);
    if (parts.host !== '') fields.splice(parts.hostIndex, 0, `${parts.host}\r\n`);
    const head = `${parts.ahead}${parts.line.join('')}${fields.join('')}\r\n`;
    // In one packet: the log tells as much of a broken line as has arrived.
    return [head + parts.body];
  });

const plainField = oneOf([
  [6, ordinary],
  [2, hopByHop],
  [1, forwarding],
]);

/** What every reader of HTTP/1.1 understands alike. */
export const soundRequest: fc.Arbitrary<string[]> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'),
    target: fc.webPath().map((path) => (path.startsWith('/') ? path : `/${path}`)),
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
    fields: fc.array(plainField, { maxLength: 12 }),
    host: fc.constantFrom(...hosts),
    body: fc.option(fc.string({ maxLength: 300 }), { nil: undefined }),
    cuts,
  })
  .map((parts) => {
    const { method, target, version, fields, host, body, cuts } = parts;
    const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
    const lines = [`${method} ${target} ${version}`, host, ...fields, ...length];
    const printable = (body ?? '').replace(/[^\x20-\x7e]/g, '.');
    return cutAt(`${lines.join('\r\n')}\r\n\r\n${printable}`, cuts);
  });

/** Requests of each common kind, for changes of a byte and for cuts. */
export const typicalRequests = [
  'GET /a?b=c HTTP/1.1\r\nHost: a\r\nUser-Agent: x/1\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n',
  'POST /a HTTP/1.1\r\nhost: a\r\nContent-Type: a/b\r\nContent-Length: 5\r\nConnection: x-a\r\nX-A: 1\r\n\r\nhello',
  'GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
  'PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
] as const;

const suspectBytes = '\0\x01\t\n\x0b\r !"(),:;/09Aaz{\x7f\x80\xe9\xff';

/** One of the texts, of which one byte was changed, put in or left out. */
export function oneByteOffOf(texts: readonly string[]): fc.Arbitrary<string> {
  return fc
    .record({
      text: fc.constantFrom(...texts),
      place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.constantFrom(...suspectBytes),
      kind: fc.constantFrom('changed', 'changed', 'put in', 'left out'),
    })
    .map(({ text, place, byte, kind }) => {
      const at = Math.floor(place * text.length);
      const rest = text.slice(kind === 'put in' ? at : at + 1);
      return text.slice(0, at) + (kind === 'left out' ? '' : byte) + rest;
    });
}

/** A typical request of which one byte is wrong. */
export const oneByteOff: fc.Arbitrary<string[]> = oneByteOffOf(typicalRequests).map((text) => [
  text,
]);
