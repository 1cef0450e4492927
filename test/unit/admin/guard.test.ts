import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asking, cookieName, Guard, type GuardRules } from '../../../src/admin/guard.ts';

const plain: Asking = {
  method: 'GET',
  peer: '192.0.2.1',
  host: '127.0.0.1:8081',
  origin: undefined,
  fetchSite: undefined,
  authorization: undefined,
  cookie: undefined,
  contentType: undefined,
};

function start(given: Partial<GuardRules> = {}) {
  const rules = { token: 'secret', hosts: ['admin.test'], sessionMs: 3_600_000, ...given };
  const clock = { nowMs: 1_000_000 };
  const guard = new Guard(
    () => rules,
    () => clock.nowMs,
  );
  const place = (asking: Partial<Asking>) => {
    const verdict = guard.checkPlace({ ...plain, ...asking });
    return verdict.ok ? 200 : verdict.status;
  };
  const sender = (asking: Partial<Asking>) => {
    const verdict = guard.checkSender({ ...plain, ...asking });
    return verdict.ok ? 200 : verdict.status;
  };
  return { guard, rules, clock, place, sender };
}

test('a name that is not ours is refused: somebody has made it point here', () => {
  const { place } = start();
  for (const host of ['127.0.0.1', '[::1]:8081', 'localhost:8081', 'LOCALHOST', 'Admin.test:80']) {
    assert.equal(place({ host }), 200, host);
  }
  for (const host of ['evil.test', 'admin.test.evil.test', '', 'localhost.evil.test']) {
    assert.equal(place({ host }), 403, `${host}`);
  }
  assert.equal(place({ host: undefined }), 200, 'no browser sends none');
  assert.equal(place({ host: undefined, origin: 'null' }), 403);
});

test('a foreign name needs the token itself, because its page can send any Authorization', () => {
  const asking = { host: 'evil.test', authorization: 'Bearer x' };
  const { place, sender } = start();
  assert.deepEqual([place(asking), sender(asking)], [200, 401]);
  const good = { ...asking, authorization: 'Bearer secret' };
  assert.deepEqual([place(good), sender(good)], [200, 200]);
  assert.equal(place({ ...asking, authorization: 'Basic x' }), 403);
  const withoutToken = start({ token: '' });
  assert.equal(withoutToken.place(asking), 403);
});

test('requests that a foreign page has made are refused', () => {
  const { place } = start();
  const json = { method: 'POST', contentType: 'application/json' };
  assert.equal(place({ ...json, origin: 'http://127.0.0.1:8081' }), 200);
  assert.equal(place({ ...json, origin: 'http://evil.test' }), 403);
  assert.equal(place({ ...json, origin: 'http://127.0.0.1:8082' }), 403);
  assert.equal(place({ ...json, origin: 'null' }), 403);
  assert.equal(place({ ...json, fetchSite: 'cross-site' }), 403);
  assert.equal(place({ fetchSite: 'same-site' }), 403);
  assert.equal(place({ fetchSite: 'same-origin' }), 200);
  assert.equal(place({ fetchSite: 'none' }), 200);
  assert.equal(place({ method: 'POST', contentType: 'text/plain' }), 415);
  assert.equal(place({ method: 'DELETE' }), 415);
});

test('without a token whoever reaches the address may ask', () => {
  const { sender, guard } = start({ token: '' });
  assert.equal(sender({}), 200);
  assert.equal(guard.logIn('', '192.0.2.1').ok, true);
});

test('with a token, it or a session is needed', () => {
  const { guard, rules, clock, sender } = start();
  assert.equal(sender({}), 401);
  assert.equal(sender({ authorization: 'Bearer secret' }), 200);
  assert.equal(sender({ authorization: 'bearer  secret' }), 200);
  assert.equal(sender({ authorization: 'Basic secret' }), 401);
  const { cookie = '' } = guard.logIn('secret', '192.0.2.1');
  assert.match(cookie, /^wormgate=[\w-]{43}; Max-Age=3600; Path=\/; HttpOnly; SameSite=Strict$/);
  const sent = `a=b; ${cookie.split(';')[0]}`;
  assert.equal(sender({ cookie: sent }), 200);
  assert.equal(sender({ cookie: `${cookieName}=${'a'.repeat(43)}` }), 401);
  clock.nowMs += 3_600_000;
  assert.equal(sender({ cookie: sent }), 401, 'its time is over');
  const later = guard.logIn('secret', '192.0.2.1').cookie?.split(';')[0] ?? '';
  assert.match(guard.logOut(later), /^wormgate=; Max-Age=0; /);
  assert.equal(sender({ cookie: later }), 401, 'logged out');
  const last = guard.logIn('secret', '192.0.2.1').cookie?.split(';')[0] ?? '';
  rules.token = 'another';
  assert.equal(sender({ cookie: last }), 401, 'the token has changed');
});

test('wrong tokens are counted: five, then one in twelve seconds, for each address by itself', () => {
  const { guard, clock, sender } = start();
  const wrong = { authorization: 'Bearer wrong' };
  for (let count = 0; count < 5; count += 1) assert.equal(sender(wrong), 401);
  assert.equal(sender(wrong), 429);
  assert.equal(sender({ authorization: 'Bearer secret' }), 429, 'not even the right one');
  const refused = guard.logIn('wrong', plain.peer);
  assert.deepEqual([refused.ok, !refused.ok && refused.retryAfter], [false, 12]);
  assert.equal(sender({ ...wrong, peer: '192.0.2.2' }), 401);
  clock.nowMs += 12_000;
  assert.equal(sender({ authorization: 'Bearer secret' }), 200);
  assert.equal(sender(wrong), 401);
  assert.equal(sender(wrong), 429);
  const { cookie = '' } = guard.logIn('secret', '192.0.2.3');
  assert.equal(sender({ cookie }), 200, 'a session is no try');
});
