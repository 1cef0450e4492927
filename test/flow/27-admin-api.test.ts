/** The admin server's interface over real sockets: who may ask, what commands do, what is refused. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { askRaw, isSlipped, statusOf } from '../support/raw.ts';
import { startWormgate, until, type Wormgate } from '../support/wormgate.ts';

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  json(): Record<string, unknown>;
}

async function ask({ adminPort }: Wormgate, path: string, asked: Asked = {}): Promise<Told> {
  const { method = 'GET', headers = {}, body } = asked;
  const content = body === undefined ? undefined : JSON.stringify(body);
  const type =
    content === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
  const sent = request({
    ...{ host: '127.0.0.1', port: adminPort, path, method },
    headers: { ...type, ...headers },
  });
  return await new Promise((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', async (answer) => {
      const said = await text(answer);
      resolve({
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        text: said,
        json: () => JSON.parse(said),
      });
    });
    sent.end(content);
  });
}

/** One open page, as far as the events go. */
async function openEvents({ adminPort }: Wormgate, headers: Asked['headers'] = {}) {
  const sent = request({ host: '127.0.0.1', port: adminPort, path: '/api/events', headers });
  sent.end();
  const [answer]: IncomingMessage[] = await once(sent, 'response');
  assert.ok(answer !== undefined);
  // However it ends.
  answer.on('error', () => {});
  return {
    status: answer.statusCode,
    ended: new Promise((resolve) => answer.resume().once('close', resolve)),
    close: () => sent.destroy(),
  };
}

const open = await startWormgate({ after });
const closed = await startWormgate({ after }, { sections: { Limits: ['DrainSeconds=0'] } }).then(
  async (wormgate) => {
    await wormgate.stop();
    const admin = [`Listen=127.0.0.1:${wormgate.adminPort}`, 'Token=a-secret', 'Hosts=admin.test'];
    wormgate.configure({ sections: { Admin: admin } });
    await wormgate.start();
    return wormgate;
  },
);

const run = (wormgate: Wormgate, ...lines: string[]) =>
  ask(wormgate, '/api/console', { method: 'POST', body: { lines } });

test('a command is carried out, answered as on the console, and logged with who sent it', async () => {
  const added = await run(open, 'virus add -p "evil.ida HTTP/1." -o 20', 'virus list');
  assert.equal(added.status, 200);
  const replies = added.json().replies as { ok: boolean; text: string }[];
  assert.deepEqual(
    replies.map(({ ok }) => ok),
    [true, true],
  );
  assert.match(replies[1]?.text ?? '', /"evil\.ida HTTP\/1\." +20 +console/);
  assert.ok(isSlipped(await askRaw(open.port, 'GET /evil.ida HTTP/1.1')));
  await open.logLine(/^\[web 127\.0\.0\.1\] virus add -p "evil\.ida HTTP\/1\." -o 20$/);
  const wrong = (await run(open, 'virus add -p')).json().replies as { ok: boolean; text: string }[];
  assert.equal(wrong[0]?.ok, false);
  await run(open, 'virus del -p "evil.ida HTTP/1." -o 20');
  assert.equal(statusOf(await askRaw(open.port, 'GET /evil.ida HTTP/1.1')), 404);
});

test('what is no request of the interface is refused and does nothing', async () => {
  const post = (body: unknown) => ask(open, '/api/console', { method: 'POST', body });
  assert.equal((await post({})).status, 400);
  assert.equal((await post({ lines: [] })).status, 400);
  assert.equal((await post({ lines: [['virus list']] })).status, 400);
  assert.equal((await post({ lines: ['virus add -k "€"'] })).status, 400);
  assert.equal((await post({ lines: Array(501).fill('virus list') })).status, 400);
  assert.equal((await post({ lines: ['x'.repeat(1_100_000)] })).status, 413);
  const form = { 'content-type': 'text/plain' };
  assert.equal((await ask(open, '/api/console', { method: 'POST', headers: form })).status, 415);
  assert.equal((await ask(open, '/api/nothing')).status, 404);
  assert.equal((await ask(open, '/api/patterns?count=0')).status, 400);
  assert.equal((await ask(open, '/api/patterns?sort=size')).status, 400);
});

test('foreign pages and foreign names are refused', async () => {
  const headers = { origin: 'http://evil.test' };
  const lines = ['virus -c'];
  const posted = await ask(open, '/api/console', { method: 'POST', headers, body: { lines } });
  assert.equal(posted.status, 403);
  assert.equal((await ask(open, '/api/screen', { headers: { host: 'evil.test' } })).status, 403);
  const rebound = { host: 'evil.test', origin: 'http://evil.test', authorization: 'Bearer x' };
  assert.equal((await ask(open, '/api/screen', { headers: rebound })).status, 403);
  const crossSite = { 'sec-fetch-site': 'cross-site' };
  assert.equal((await ask(open, '/api/screen', { headers: crossSite })).status, 403);
  assert.equal((await ask(open, '/metrics', { headers: crossSite })).status, 403);
  assert.equal((await ask(open, '/api/counters')).json().admin_requests_refused, 6);
});

test('with a token, it or a session is needed, and wrong ones are slowed', async () => {
  assert.equal((await ask(closed, '/api/screen')).status, 401);
  assert.equal((await run(closed, 'virus -c')).status, 401);
  const bearer = { authorization: 'Bearer a-secret' };
  assert.equal((await ask(closed, '/api/screen', { headers: bearer })).status, 200);
  const secrets = await ask(closed, '/api/settings', { headers: bearer });
  assert.doesNotMatch(secrets.text, /a-secret/);
  assert.match(secrets.text, /"key":"Token","value":"\*\*\*"/);
  const logIn = (token: string) => ask(closed, '/api/session', { method: 'POST', body: { token } });
  const session = await logIn('a-secret');
  assert.equal(session.status, 204);
  const cookie = String(session.headers['set-cookie']).split(';')[0] ?? '';
  const host = 'admin.test';
  assert.equal((await ask(closed, '/api/screen', { headers: { cookie, host } })).status, 200);
  const ended = await ask(closed, '/api/session', {
    method: 'DELETE',
    headers: { cookie },
    body: {},
  });
  assert.equal(ended.status, 204);
  assert.equal((await ask(closed, '/api/screen', { headers: { cookie } })).status, 401);
  for (let count = 0; count < 5; count += 1) assert.equal((await logIn('guess')).status, 401);
  const slowed = await logIn('a-secret');
  assert.equal(slowed.status, 429);
  assert.match(String(slowed.headers['retry-after']), /^\d+$/);
});

test('patterns are searched, sorted and paged; lists, screen and settings are there', async () => {
  const lines = ['aa', 'ab', 'bb'].map((name) => `virus add -p "${name}.ida" -o 9`);
  await run(open, ...lines, 'virus add -k "<script>"');
  const page = (await ask(open, '/api/patterns?search=a&sort=pattern&order=desc&count=1')).json();
  assert.equal(page.total, 3);
  assert.equal((page.patterns as { pattern: string }[])[0]?.pattern, 'bb.ida');
  await run(open, 'virus add -p "\\x80" -o 9');
  const bytes = (await ask(open, '/api/patterns?sort=pattern&order=asc')).json();
  assert.deepEqual(
    (bytes.patterns as { pattern: string }[]).map(({ pattern }) => pattern),
    ['aa.ida', 'ab.ida', 'bb.ida', '\\x80'],
    'in the order of bytes',
  );
  await run(open, 'virus del -p "\\x80" -o 9');
  const lists = (await ask(open, '/api/lists')).json();
  assert.equal((lists.keywords as { keyword: string }[])[0]?.keyword, '<script>');
  assert.equal((await ask(open, '/api/screen')).json().noOfPatterns, 3);
  const settings = (await ask(open, '/api/settings')).json().settings as {
    key: string;
    value: string;
    isDefault: boolean;
  }[];
  const inForce = (name: string) => settings.find(({ key }) => key === name);
  assert.deepEqual([inForce('Origin')?.value, inForce('SessionHours')?.isDefault], ['demo', true]);
  await run(open, 'virus -c', 'virus del -k "<script>"');
});

test('the inspector says what would become of a request line, and counts nothing', async () => {
  await run(open, 'virus add -p "default.ida?NNNN" -o 385');
  const inspect = async (line: string) =>
    (await ask(open, '/api/inspect', { method: 'POST', body: { request: line } })).json();
  const blocked = await inspect('GET /%64efault.ida?NNNN HTTP/1.0');
  assert.equal(blocked.outcome, 'slip');
  const steps = (blocked.steps as { step: string; finding: string }[]).map(
    ({ step, finding }) => `${step}: ${finding}`,
  );
  assert.match(
    steps.join('\n'),
    /window: %64efault\.ida\?NN\nnormalised: .* its window default\.ida\?NNNN\n/,
  );
  assert.match(
    steps.join('\n'),
    /It matches the pattern "default\.ida\?NNNN" -o 385, from console/,
  );
  const logged = await open.logLine(/evil\.ida.* id=/);
  const [, id = ''] = / id=(\S+)$/.exec(logged) ?? [];
  const found = await inspect(id);
  assert.deepEqual(await inspect(` id=${id} `), found);
  assert.equal((found.steps as { finding: string }[])[0]?.finding, logged);
  assert.equal(found.outcome, 'pass', 'its pattern is deleted');
  await askRaw(open.port, `GET /default.ida?${'N'.repeat(9_000)} HTTP/1.0`);
  const cut = await open.logLine(/truncated.* id=/);
  const beginning = await inspect(/ id=(\S+)$/.exec(cut)?.[1] ?? '');
  assert.equal(beginning.outcome, 'unknown', 'neither its end nor its version is there');
  assert.equal((await inspect('0123456789-zz')).outcome, 'unknown');
  assert.equal((await inspect('GET / HTTP/1.1')).outcome, 'pass');
  assert.equal((await inspect('GET  /')).outcome, 'refused');
  assert.equal(
    (await ask(open, '/api/screen')).json().virusRequests,
    2,
    'the one of the first test, and the long one',
  );
  await run(open, 'virus -c');
});

test('events come at once and each second, and open pages do not hold up the end', async () => {
  const wormgate = await startWormgate({ after });
  const sent = request({ host: '127.0.0.1', port: wormgate.adminPort, path: '/api/events' });
  let told = '';
  const over = new Promise<void>((resolve) => {
    sent.once('response', (answer) => {
      assert.equal(answer.headers['content-type'], 'text/event-stream');
      answer.on('data', (chunk) => {
        told += chunk;
      });
      answer.once('close', () => resolve());
    });
  });
  sent.end();
  await until(() => told.split('event: figures\n').length >= 3);
  const [, data = ''] = /data: (.*)\n/.exec(told) ?? [];
  const figures = JSON.parse(data);
  assert.equal(figures.screen.noOfPatterns, 0);
  assert.equal(typeof figures.counters.requests, 'number');
  assert.equal(figures.origins[0].state, 'up');
  assert.equal(await wormgate.stop(), 0);
  await over;
});

test('whoever has no token can have little kept for him', async () => {
  const wormgate = await startWormgate({ after });
  const body = { token: 'x'.repeat(5_000) };
  const long = await ask(wormgate, '/api/session', { method: 'POST', body });
  assert.equal(long.status, 413);
  const counters = async () => (await ask(wormgate, '/api/counters')).json();
  const clients = Array.from({ length: 300 }, () => connect(wormgate.adminPort, '127.0.0.1'));
  let refusedCount = 0;
  for (const client of clients) {
    client.on('error', () => {});
    client.once('close', () => {
      refusedCount += 1;
    });
  }
  await until(() => refusedCount >= 44);
  for (const client of clients) client.destroy();
  await until(async () => {
    const refused = await counters().catch(() => undefined);
    return Number(refused?.admin_connections_refused) >= 44;
  });
});

test('pipelined requests for events take no room for ever, and HEAD takes none', async () => {
  const wormgate = await startWormgate({ after });
  const get = 'GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  const client = connect(wormgate.adminPort, '127.0.0.1');
  client.write(get.repeat(25));
  await once(client, 'data');
  client.destroy();
  assert.equal((await ask(wormgate, '/api/events', { method: 'HEAD' })).status, 404);
  // All of the room but what the client above may still have.
  const pages = await Promise.all(Array.from({ length: 19 }, () => openEvents(wormgate)));
  assert.deepEqual(
    pages.map(({ status }) => status),
    pages.map(() => 200),
  );
  for (const { close } of pages) close();
});

test('commands over an address of both families are recorded with an IPv4 address', async () => {
  const wormgate = await startWormgate({ after });
  await wormgate.stop();
  wormgate.configure({
    sections: { Admin: [`Listen=[::]:${wormgate.adminPort}`, 'Token=one'] },
  });
  await wormgate.start();
  const headers = { authorization: 'Bearer one' };
  const body = { lines: ['virus show\r\n[console] virus -c\x1b[2J'] };
  await ask(wormgate, '/api/console', { method: 'POST', headers, body });
  await wormgate.logLine(/^\[web 127\.0\.0\.1\] virus show\\x0d\\x0a\[console\] virus -c\\x1b/);
});

test('the end of a session ends its events, and so does another token', async () => {
  const wormgate = await startWormgate({ after });
  await wormgate.stop();
  const useToken = (token: string) => {
    const admin = [`Listen=127.0.0.1:${wormgate.adminPort}`, `Token=${token}`];
    wormgate.configure({ sections: { Admin: admin } });
  };
  useToken('one');
  await wormgate.start();
  const openPage = async () => {
    const body = { token: 'one' };
    const session = await ask(wormgate, '/api/session', { method: 'POST', body });
    const headers = { cookie: String(session.headers['set-cookie']).split(';')[0] ?? '' };
    const page = await openEvents(wormgate, headers);
    assert.equal(page.status, 200);
    return { ...page, headers };
  };
  const { ended, headers } = await openPage();
  const other = await openPage();
  await ask(wormgate, '/api/session', { method: 'DELETE', headers, body: {} });
  await ended;
  useToken('two');
  wormgate.signal('SIGHUP');
  await other.ended;
});

test('the OpenAPI document names every route, and each command', async () => {
  const document = (await ask(open, '/api/openapi.json')).json();
  const paths = document.paths as Record<string, Record<string, { description?: string }>>;
  for (const [path, methods] of Object.entries(paths)) {
    if (path === '/api/events') continue;
    for (const method of Object.keys(methods)) {
      const body = method === 'get' ? undefined : {};
      const { status } = await ask(open, path, { method: method.toUpperCase(), body });
      assert.ok(status !== 404 && status < 500, `${method} ${path}: ${status}`);
    }
  }
  assert.match(
    paths['/api/console']?.post?.description ?? '',
    /virus add -p "PATTERN" -o ORIGLENGTH/,
  );
});

test('the metrics are in the exposition format, to the letter', async () => {
  await askRaw(open.port, 'GET /hello.txt HTTP/1.1');
  const answer = await ask(open, '/metrics');
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const families = new Map<string, string>();
  const samples = new Set<string>();
  let helped = '';
  assert.ok(answer.text.endsWith('\n'));
  for (const line of answer.text.trimEnd().split('\n')) {
    const help = /^# HELP ([a-z0-9_]+) [^\n]+$/.exec(line)?.[1];
    const [, typed, type = ''] = /^# TYPE ([a-z0-9_]+) (counter|gauge|histogram)$/.exec(line) ?? [];
    const label = '[a-z]+="(?:[^"\\\\]|\\\\[\\\\"n])*"';
    const sample = new RegExp(
      `^([a-z0-9_]+)((?:\\{${label}(?:,${label})*\\})?) (\\d+(?:\\.\\d+)?)$`,
    ).exec(line);
    if (help !== undefined) {
      assert.ok(!families.has(help), `${help} stands twice`);
      helped = help;
    } else if (typed !== undefined) {
      assert.equal(typed, helped);
      families.set(typed, type);
    } else {
      assert.ok(sample !== null, line);
      const [, name = '', labels = ''] = sample;
      assert.ok(!samples.has(name + labels), `${name}${labels} stands twice`);
      samples.add(name + labels);
      const isPart = families.get(helped) === 'histogram';
      const family = isPart ? name.replace(/_(?:bucket|sum|count)$/, '') : name;
      assert.equal(family, helped, 'a sample stands below its own HELP and TYPE');
      if (families.get(family) === 'counter') assert.match(name, /_total$/);
    }
  }
  const took = 'wormgate_request_duration_seconds';
  const value = (sample: string) => Number(answer.text.split(`${sample} `)[1]?.split('\n')[0]);
  assert.ok(value(`${took}_count{lane="fast"}`) > 0);
  assert.equal(value(`${took}_bucket{lane="fast",le="+Inf"}`), value(`${took}_count{lane="fast"}`));
});
