/**
 * Blocking, end to end: slip, drop, detect, NeverBlock, the window of disguised requests,
 * and what PROXY.LOG, the screen and the counters say about it. The origin counts what reaches it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { inLanes } from '../support/lanes.ts';
import { startOrigin } from '../support/origin.ts';
import { projectPath } from '../support/paths.ts';
import { askRaw, isSlipped, type RawAnswer, sendRaw, statusOf } from '../support/raw.ts';
import { readWormRequests, wormRequestString } from '../support/requests-data.ts';
import { readPatternedWorms } from '../support/shipped-patterns.ts';
import { startWormgate, until } from '../support/wormgate.ts';

const wormRequests = readWormRequests();
const codeRed = wormRequestString(
  wormRequests.find(({ name }) => name.startsWith('code-red-v1')) ?? missing(),
  'HTTP/1.0',
);

function missing(): never {
  throw new Error('requests.tsv has no Code Red');
}

/** `[Virus Pattern Configuration]` with these patterns and further lines. */
function virusSection(patterns: readonly string[], ...lines: string[]) {
  const numbered = patterns.map((pattern, index) => `Pattern${index + 1}="${pattern}",385`);
  return {
    'Virus Pattern Configuration': [`NoOfVirusPatterns=${patterns.length}`, ...numbered, ...lines],
  };
}

const codeRedPattern = 'default.ida?NNNN';
const rootExePattern = 'scripts/root.exe';

/** The targets that the file's origin has been asked for. */
const reached: string[] = [];
const { url: origin } = await startOrigin({ after }, (request, answer) => {
  reached.push(request.url ?? '');
  answer.end('served\n');
});
/** Blocks Code Red and Nimda's root.exe; everything else is as by default. */
const gate = await startWormgate(
  { after },
  { origin, sections: virusSection([codeRedPattern, rootExePattern]) },
);

/** Sends the parts as packets of their own, then waits for the other side to close. */
async function sendInPackets(port: number, parts: readonly string[]): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'connect');
  for (const part of parts) {
    if (part === '' || socket.destroyed) continue;
    socket.write(part, 'latin1');
    // Two turns of the loop, so that the other process is likely to read the packet by itself.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const timer = setTimeout(() => socket.destroy(), 5000);
  await closed;
  clearTimeout(timer);
  return { text, closed: true };
}

test('Code Red as the worm sends it is slipped: no byte, the connection closed, `- -` and the reason in PROXY.LOG', async () => {
  const before = reached.length;
  const answer = await sendRaw(gate.port, [`GET ${codeRed}\r\nContent-type: text/xml\r\n\r\n`]);
  assert.ok(isSlipped(answer), answer.text);
  assert.equal(codeRed.length, 385);
  const line = await gate.logLine(/default\.ida/);
  const [start, end] = line.split(codeRed);
  assert.match(
    start ?? '',
    /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET $/,
  );
  assert.match(end ?? '', /^" - - pattern="default\.ida\?NNNN" from=shipped id=[\w-]{6,}$/);
  assert.equal(reached.length, before);
});

test('the same over HTTP/1.1, with headers and a body, is slipped', async () => {
  for (const head of [
    'GET /default.ida?NNNN HTTP/1.1\r\nHost: site.test\r\n\r\n',
    'POST /default.ida?NNNNNNNN HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    'HEAD /default.ida?NNNNNNNN HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /default.ida?NNNNNNNN HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
    'GET /default.ida?NNNN HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  ]) {
    assert.ok(isSlipped(await sendRaw(gate.port, [head])), head);
  }
});

test('a virus request is slipped wherever its bytes are split into packets', async () => {
  const before = reached.length;
  const request = `GET ${codeRed}\r\nContent-type: text/xml\r\n\r\n`;
  const positions = Array.from({ length: request.length - 1 }, (_, index) => index + 1);
  const answers = await inLanes(positions, 32, (position) =>
    sendInPackets(gate.port, [request.slice(0, position), request.slice(position)]),
  );
  assert.deepEqual(
    answers.filter((answer) => !isSlipped(answer)),
    [],
  );
  assert.ok(isSlipped(await sendInPackets(gate.port, request.split(''))));
  assert.equal(reached.length, before);
});

test('a virus request pipelined behind humble ones is slipped after their answers', async () => {
  const humble = 'GET /humble HTTP/1.1\r\nHost: site.test\r\n\r\n';
  const answer = await sendRaw(gate.port, [`${humble}${humble}GET ${codeRed}\r\n\r\n${humble}`]);
  assert.ok(answer.closed);
  assert.equal(answer.text.match(/HTTP\/1\.1 200/g)?.length, 2, answer.text);
  assert.equal(answer.text.match(/served/g)?.length, 2);
});

const disguises = [
  '/%64efault.ida?NNNNNNNN',
  '/%64%65%66ault.ida?NNNNNNNN',
  '//default.ida?NNNNNNNN',
  '/x/../default.ida?NNNNNNNN',
  '/./default.ida?NNNNNNNN',
  '/%2e/default.ida?NNNNNNNN',
  '/a/b/%2e%2e/../default.ida?NNNNNNNN',
  '/%2564efault.ida?NNNNNNNN',
  '/\\default.ida?NNNNNNNN',
  '/x\\..\\default.ida?NNNNNNNN',
  '/scripts/..%2f/scripts/root.exe?/c+dir',
  '/scripts//root.exe?/c+dir',
] as const;

test('a disguised virus request is slipped too', async () => {
  for (const target of disguises) {
    assert.ok(isSlipped(await askRaw(gate.port, `GET ${target} HTTP/1.1`)), target);
  }
});

test('with NormalizeRequests=0 only the bytes as sent count', async (t) => {
  const plain = await startWormgate(t, {
    origin,
    sections: virusSection([codeRedPattern, rootExePattern], 'NormalizeRequests=0'),
  });
  for (const target of disguises) {
    assert.equal(statusOf(await askRaw(plain.port, `GET ${target} HTTP/1.1`)), 200, target);
    assert.equal(reached.at(-1), target, 'the origin gets the target as it was sent');
  }
  assert.ok(isSlipped(await askRaw(plain.port, 'GET /default.ida?NNNN HTTP/1.1')));
});

test('an absolute-form target is screened as its origin-form', async () => {
  for (const target of [
    'http://site.test/default.ida?NNNNNNNN',
    'HTTP://site.test:80/default.ida?NNNNNNNN',
    'https://site.test/%64efault.ida?NNNNNNNN',
  ]) {
    assert.ok(isSlipped(await askRaw(gate.port, `GET ${target} HTTP/1.1`)), target);
  }
  assert.equal(statusOf(await askRaw(gate.port, 'GET http://site.test/humble?a HTTP/1.1')), 200);
  assert.equal(reached.at(-1), '/humble?a');
});

test('a request that is one byte away from a pattern is humble', async () => {
  for (const target of ['/default.ida?NNNM', '/Default.ida?NNNN', '/efault.ida?NNNNN', '/']) {
    assert.equal(statusOf(await askRaw(gate.port, `GET ${target} HTTP/1.1`)), 200, target);
    assert.equal(reached.at(-1), target);
  }
});

test('VirusAction=drop answers 400 with the request id that PROXY.LOG has, and closes', async (t) => {
  const dropping = await startWormgate(t, {
    origin,
    sections: virusSection([codeRedPattern], 'VirusAction=drop'),
  });
  const answer = await sendRaw(dropping.port, [
    'GET /default.ida?NNNNX HTTP/1.1\r\nHost: a\r\n\r\nGET /after HTTP/1.1\r\nHost: a\r\n\r\n',
  ]);
  assert.equal(statusOf(answer), 400);
  assert.ok(answer.closed);
  assert.equal(answer.text.match(/HTTP\/1\.1/g)?.length, 1, 'nothing after it is served');
  const id = /X-Request-Id: (\S+)/i.exec(answer.text)?.[1] ?? 'none';
  const [, body = ''] = answer.text.split('\r\n\r\n');
  assert.ok(body.includes(id), body);
  const line = await dropping.logLine(/default\.ida/);
  const size = Buffer.byteLength(body);
  assert.ok(
    line.endsWith(`HTTP/1.1" 400 ${size} pattern="default.ida?NNNN" from=shipped id=${id}`),
    line,
  );
  assert.equal(await dropping.counter('requests_dropped'), 1);
  assert.equal(await dropping.counter('requests_slipped'), 0);
});

test('a trusted proxy gets a 400 on an open connection, and the client it names is the source', async (t) => {
  const behind = await startWormgate(t, {
    origin,
    accelerator: ['TrustedProxies=127.0.0.0/8'],
    sections: virusSection([codeRedPattern]),
  });
  const answer = await sendRaw(behind.port, [
    'GET /default.ida?NNNNX HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.18.7.7\r\n\r\n',
    'GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  ]);
  assert.match(answer.text, /^HTTP\/1\.1 400 [\s\S]*HTTP\/1\.1 200 /);
  assert.match(await behind.logLine(/default\.ida/), /^198\.18\.7\.7 - - .*" 400 \d+ pattern=/);
  assert.match(behind.virus('show').stdout, /^Virus Source IP Address: 198\.18\.7\.7$/m);
});

test('Mode=detect lets every worm request pass, and logs and counts each', async (t) => {
  const files = ['classic-worms.ncf', 'modern-worms.ncf'].map((name) =>
    projectPath('patterns', name),
  );
  const detecting = await startWormgate(t, {
    origin,
    sections: {
      'Virus Pattern Configuration': ['Mode=detect', `PatternFiles=${files.join(',')}`],
    },
  });
  // A blank within the target breaks the grammar, which is no matter of patterns.
  const sound = readPatternedWorms().filter(({ target }) => !target.includes(' '));
  assert.equal(sound.length, 54);
  const seen = reached.length;
  const answers = await inLanes(sound, 8, (request) =>
    askRaw(detecting.port, `${request.method} ${wormRequestString(request, 'HTTP/1.1')}`),
  );
  for (const [index, answer] of answers.entries()) {
    assert.equal(statusOf(answer), 200, sound[index]?.name);
  }
  const wanted = sound.map(({ target }) => target).sort();
  assert.deepEqual(reached.slice(seen).sort(), wanted);
  assert.equal(await detecting.counter('requests_detected'), sound.length);
  assert.equal(await detecting.counter('virus_requests'), sound.length);
  assert.equal(await detecting.counter('requests_slipped'), 0);
  await until(() => detecting.log().split('\n').length > sound.length);
  const lines = detecting.log().trimEnd().split('\n');
  for (const line of lines) {
    assert.match(line, /" 200 7 detect pattern="[^"]+" from=shipped id=\S+$/);
  }
  assert.match(detecting.virus('show').stdout, /Mode: detect/);
});

test('NeverBlock lets a network pass, which is logged, counted, and no virus source', async (t) => {
  const lenient = await startWormgate(t, {
    origin,
    sections: virusSection([codeRedPattern], 'NeverBlock=10.0.0.0/8, 127.0.0.0/8'),
  });
  assert.equal(statusOf(await askRaw(lenient.port, 'GET /default.ida?NNNNX HTTP/1.1')), 200);
  await lenient.logLine(/" 200 7 never-block pattern="default\.ida\?NNNN" from=shipped id=/);
  assert.equal(await lenient.counter('requests_never_block'), 1);
  assert.match(lenient.virus('show').stdout, /^Virus Source IP Address: -$/m);
});

test('NeverBlock lets a path pass, but nothing that only looks like it', async (t) => {
  const lenient = await startWormgate(t, {
    origin,
    sections: virusSection(
      [rootExePattern, 'safe/root.exe HT', 'safe/..%2fscript'],
      'NeverBlock=path:/safe/, path:/other/safe',
    ),
  });
  assert.equal(statusOf(await askRaw(lenient.port, 'GET /safe/root.exe HTTP/1.1')), 200);
  for (const target of [
    '/scripts/root.exe?/c+dir',
    '/safe/..%2fscripts/root.exe?/c+dir',
    '/safe/../scripts/root.exe?/c+dir',
    '/safe/%2e%2e/scripts/root.exe?/c+dir',
    '/safe\\..\\scripts\\root.exe?/c+dir',
    '/safe/..%252fscripts/root.exe?/c+dir',
    // An origin that does not decode %2f reads the path that the pattern is about.
    '/scripts/root.exe/..%2f..%2fsafe/',
    '/scripts/root.exe/..%5c..%5csafe/',
    '/scripts/root.exe?/../../safe/',
  ]) {
    assert.ok(isSlipped(await askRaw(lenient.port, `GET ${target} HTTP/1.1`)), target);
  }
});

test('a pattern shorter than the window matches the request string that ends there, and no other', async (t) => {
  const short = await startWormgate(t, { origin, sections: virusSection(['.env HTTP/1.1', 'a']) });
  assert.ok(isSlipped(await askRaw(short.port, 'GET /.env HTTP/1.1')));
  for (const line of [
    'GET /.env HTTP/1.0',
    'GET /.env? HTTP/1.1',
    'GET /.envy HTTP/1.1',
    'GET /a HTTP/1.1',
  ]) {
    assert.equal(statusOf(await askRaw(short.port, line)), 200, line);
  }
});

test('PatternSize and PatternStartOffset other than the default move the window', async (t) => {
  const moved = await startWormgate(t, {
    origin,
    sections: virusSection(['evil', 'end\\x00'], 'PatternSize=4', 'PatternStartOffset=5'),
  });
  assert.ok(isSlipped(await askRaw(moved.port, 'GET /abcdevil HTTP/1.1')));
  assert.ok(isSlipped(await askRaw(moved.port, 'GET /abcd%65vil/x?y HTTP/1.1')));
  for (const target of ['/evil', '/abcevil', '/abcdEvil', '/abcdxevil', '/']) {
    assert.equal(statusOf(await askRaw(moved.port, `GET ${target} HTTP/1.1`)), 200, target);
  }
  const whole = await startWormgate(t, {
    origin,
    sections: virusSection(['/a HTTP/1.1'], 'PatternSize=64', 'PatternStartOffset=0'),
  });
  assert.ok(isSlipped(await askRaw(whole.port, 'GET /a HTTP/1.1')));
  assert.equal(statusOf(await askRaw(whole.port, 'GET /b HTTP/1.1')), 200);
  assert.equal(statusOf(await askRaw(whole.port, `GET /${'a'.repeat(2000)} HTTP/1.1`)), 200);
});

test('virus show counts requests and lists the last ten sources, virus list the hits', async (t) => {
  const shown = await startWormgate(t, {
    origin,
    accelerator: ['TrustedProxies=127.0.0.0/8'],
    sections: virusSection([codeRedPattern, rootExePattern]),
  });
  for (let host = 1; host <= 12; host += 1) {
    const from = `X-Forwarded-For: 198.18.0.${host}\r\n`;
    assert.equal(statusOf(await askRaw(shown.port, 'GET /default.ida?NNNNX HTTP/1.1', from)), 400);
  }
  await askRaw(shown.port, 'GET /default.ida?NNNNX HTTP/1.1', 'X-Forwarded-For: 198.18.0.5\r\n');
  await askRaw(shown.port, 'GET /humble HTTP/1.1');
  const screen = shown.virus('show').stdout;
  assert.match(screen, /^Virus Requests: 13$/m);
  assert.match(screen, /^Non Virus Requests: 1$/m);
  const sources = [5, 12, 11, 10, 9, 8, 7, 6, 4, 3].map((host) => `198.18.0.${host}`).join(', ');
  assert.ok(screen.includes(`Virus Source IP Address: ${sources}\n`), screen);
  const [, first, second] = shown.virus('list').stdout.split('\n');
  assert.match(first ?? '', /^"default\.ida\?NNNN" +385 +shipped +\S+Z +13 +\S+Z$/);
  assert.match(second ?? '', /^"scripts\/root\.exe" +385 +shipped +\S+Z +0 +-$/);
});

test('a broken request line is answered 400 and logged in the paper’s form', async () => {
  const xs = 'X'.repeat(400);
  const answer = await sendRaw(gate.port, [`GET\x00/default.ida?${xs} HTTP/1.0\r\n\r\n`]);
  assert.equal(statusOf(answer), 400);
  assert.ok(answer.closed);
  const line = await gate.logLine(/bad request line/);
  const id = /X-Request-Id: (\S+)/i.exec(answer.text)?.[1] ?? 'none';
  const [, body = ''] = answer.text.split('\r\n\r\n');
  const shown = `"(bad request line) GET%00/default.ida?${'X'.repeat(256 - 17)} (truncated)"`;
  assert.ok(line.endsWith(`${shown} 400 ${Buffer.byteLength(body)} id=${id}`), line);
});

const logLine =
  /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "[ !#-[\]-~]*" (?:\d{3}|-) (?:\d+|-)(?: pattern="[ -~]+" from=shipped)?(?: error=[\w-]+)?(?: id=[\w-]+)?$/;

test('no request can forge or break a line of PROXY.LOG', async (t) => {
  const target = await startWormgate(t, {
    origin,
    accelerator: ['TrustedProxies=127.0.0.0/8'],
    sections: virusSection([codeRedPattern]),
  });
  const forged = '127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /forged HTTP/1.1" 200 5';
  const requests = [
    `GET /a" 200 5 HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /a\n${forged}\r\n\r\n`,
    `GET /a\r${forged} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /a HTTP/1.1\nHost: a\n\n${forged}`,
    `${forged}\r\n\r\n`,
    `\r\n\r\n${forged}\r\n\r\n`,
    `GET /a%0a${forged.replaceAll(' ', '%20')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `GET /\\" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `GET /\x85\x9b31m\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `GET /\x1b[2J HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `GET /default.ida?NNNN"\x7f\x08 HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: ${forged}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: "\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nForwarded: for="\\"x"\r\n\r\n`,
    `G"T / HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET / HTTP/1.1" 200 5\r\nHost: a\r\n\r\n`,
  ];
  for (const request of requests) await sendRaw(target.port, [request], { end: true });
  assert.equal(await target.stop(), 0);
  const lines = target.log().split('\n');
  assert.equal(lines.pop(), '');
  for (const line of lines) assert.match(line, logLine);
  assert.ok(lines.length >= requests.length - 1, `${lines.length} lines`);
  assert.ok(lines.length <= requests.length + 1, `${lines.length} lines`);
});

test('LogRequests=blocked leaves out what was served, and nothing else', async (t) => {
  const quiet = await startWormgate(t, {
    origin,
    sections: { ...virusSection([codeRedPattern]), Log: ['LogRequests=blocked'] },
  });
  await askRaw(quiet.port, 'GET /served HTTP/1.1');
  await askRaw(quiet.port, 'GET /default.ida?NNNN HTTP/1.1');
  await sendRaw(quiet.port, ['GET /no-host HTTP/1.1\r\n\r\n']);
  await sendRaw(quiet.port, ['GET\x00/bad HTTP/1.1\r\n\r\n']);
  await quiet.stop();
  const lines = quiet.log().trimEnd().split('\n');
  assert.equal(lines.length, 3, quiet.log());
  // Those of different workers may stand in any order.
  for (const kind of [/default\.ida/, /no-host HTTP\/1\.1" 400 \d+ error=/, /bad request line/])
    assert.ok(lines.some((line) => kind.test(line)));
});
