/**
 * The paper, "Enabling and Configuring Auto Update", "Adding New Virus Keywords" and "Choosing a Proper
 * Threshold". A title quotes the sentence it tests. Where time matters the parts of the server run on a
 * clock that is turned by hand; the rest is asked of a running server.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LearningRig } from '../support/learning-rig.ts';
import { askRaw, isSlipped, statusOf } from '../support/raw.ts';
import { startWormgate, until, type Wormgate } from '../support/wormgate.ts';
import { enter, onScreen } from './paper.ts';

const nimda = '/scripts/..%255c../winnt/system32/cmd.exe?/c+dir';
const window = 'scripts/..%255c.';

async function rigWith(keyword: string, ...lines: string[]): Promise<LearningRig> {
  const rig = new LearningRig(lines);
  await rig.addKeywords(keyword);
  return rig;
}

async function send(wormgate: Wormgate, target: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) {
    statuses.push(statusOf(await askRaw(wormgate.port, `GET ${target} HTTP/1.0`)));
  }
  return statuses;
}

test('"automatically detects virus requests and adds their patterns to the database"', async () => {
  const rig = await rigWith('cmd.exe');
  rig.askOften(251, nimda);
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
  const [learned] = rig.database.learning.learned();
  assert.equal(learned?.from, 'auto(cmd.exe)');
  assert.equal(learned?.origLength, `${nimda} HTTP/1.0`.length);
});

test('"especially useful in detecting frequently changing virus request patterns": each change is learned', async () => {
  const rig = await rigWith('cmd.exe', 'BlockConfirmedKeywords=0');
  for (const variant of ['a', 'b', 'c']) {
    rig.askOften(251, `/${variant}/winnt/system32/cmd.exe?/c+dir`);
    await rig.check();
  }
  assert.deepEqual(rig.patterns, ['a/winnt/system32', 'b/winnt/system32', 'c/winnt/system32']);
});

test('"the number of new requests that hash to the same value that will be allowed within the time interval": 250 by default', async () => {
  const rig = await rigWith('cmd.exe');
  assert.equal(rig.database.tunables.get('HitThreshold'), 250);
  // The same window, whatever follows it.
  for (let count = 1; count <= 250; count += 1) rig.ask(`${nimda}+${count}`);
  assert.equal(rig.thread.checks.length, 0);
  rig.ask(`${nimda}+251`);
  assert.equal(rig.thread.checks.length, 1);
});

test('"the amount of time, in seconds, after which identical requests received beyond the threshold value are checked": 10 by default', async () => {
  const rig = await rigWith('cmd.exe');
  assert.equal(rig.database.tunables.get('RefreshInterval'), 10);
  rig.askOften(125, nimda);
  rig.clock.pass(9_900);
  rig.askOften(125, nimda);
  rig.clock.pass(200);
  rig.askOften(125, nimda);
  assert.equal(rig.thread.checks.length, 0, 'never more than 250 in one interval');
});

test('"these can be changed via the virus -t and virus -r console commands"', async (t) => {
  const wormgate = await startWormgate(t);
  await enter(wormgate, 'virus -t 300');
  await enter(wormgate, 'virus -r 12');
  assert.equal(await onScreen(wormgate, 'Hit Threshold'), '300 (PROXY.CFG: 250)');
  assert.equal(await onScreen(wormgate, 'Refresh Interval'), '12 (PROXY.CFG: 10)');
});

test('"scheduled for further analysis via a background process. In the meantime, the Proxy Server continues to receive all requests so that valid requests are never blocked"', async () => {
  const rig = await rigWith('cmd.exe');
  assert.equal(rig.askOften(400, nimda), 400);
  assert.equal(rig.thread.checks.length, 1);
  assert.equal(rig.askOften(400, '/index.html', 200), 400);
});

test('valid requests that come as often as they like "are never blocked"', async () => {
  const rig = await rigWith('cmd.exe');
  rig.askOften(1_000, '/index.html', 200);
  await rig.check();
  assert.equal(rig.statistics.get('suspects_humble'), 1);
  assert.deepEqual(rig.patterns, []);
  assert.equal(rig.ask('/index.html'), 'pass');
});

test('"virus -e 1" enables Auto Update, "a value of 0 (zero) in this command will disable" it', async (t) => {
  const wormgate = await startWormgate(t, {
    sections: { 'Virus Pattern Configuration': ['HitThreshold=5', 'RefreshInterval=3600'] },
  });
  await enter(wormgate, 'virus add -k cmd.exe');
  await send(wormgate, nimda, 10);
  assert.equal(await wormgate.counter('suspects'), 0);
  await enter(wormgate, 'virus -e 1');
  await send(wormgate, nimda, 6);
  await until(async () => (await wormgate.counter('patterns_learned')) === 1);
  assert.ok(isSlipped(await askRaw(wormgate.port, `GET ${nimda} HTTP/1.0`)));
  await enter(wormgate, 'virus -e 0');
  await send(wormgate, '/another/one/with/root.exe', 10);
  assert.equal(await wormgate.counter('suspects'), 1);
});

test('"EnablePatternAutoUpdate=1 … will ensure that this feature is enabled every time the Proxy Server is started"', async (t) => {
  const wormgate = await startWormgate(t, {
    sections: { 'Virus Pattern Configuration': ['EnablePatternAutoUpdate=1'] },
  });
  assert.equal(await onScreen(wormgate, 'Virus Auto Update'), '1');
  await wormgate.stop();
  await wormgate.start();
  assert.equal(await onScreen(wormgate, 'Virus Auto Update'), '1');
});

test('"Keywords come into play only after a request has been labelled as suspect through the heuristics"', async () => {
  const rig = await rigWith('cmd.exe');
  assert.equal(rig.askOften(250, nimda), 250);
  rig.clock.pass(10_000);
  assert.equal(rig.askOften(250, nimda), 250, 'the keyword alone blocks nothing');
});

test('"the suspect request is checked for the presence of certain keywords. If a match is found, the request is labelled a virus request and its pattern is added"', async () => {
  const rig = await rigWith('CMD.EXE');
  rig.askOften(251, '/quiet/but/often?');
  rig.askOften(251, nimda);
  await rig.check();
  assert.deepEqual(rig.patterns, [window]);
  assert.equal(rig.ask('/quiet/but/often?'), 'pass');
  assert.equal(rig.ask(nimda), 'slip');
});

test('"Any future requests containing that keyword will automatically be blocked"', async () => {
  const rig = await rigWith('cmd.exe');
  assert.equal(rig.ask('/elsewhere/cmd.exe'), 'pass');
  rig.askOften(251, nimda);
  await rig.check();
  for (const target of ['/elsewhere/cmd.exe', '/x?y=CMD.Exe', '/%63%6dd.exe', '/c%256dd.exe']) {
    assert.equal(rig.ask(target), 'slip', target);
  }
  assert.equal(rig.ask('/elsewhere/cmd.ex'), 'pass');
});

test('"a character string that determines whether a suspect request is a humble request or a virus request": virus add -k <keyword>', async () => {
  const rig = new LearningRig();
  rig.askOften(251, nimda);
  await rig.check();
  assert.equal(rig.statistics.get('suspects_humble'), 1);
  await rig.addKeywords('cmd.exe');
  rig.ask(nimda);
  await rig.check();
  assert.equal(rig.statistics.get('suspects_confirmed'), 1);
});

test('"Last Predicted Request … displays the last request that was made a suspect"', async (t) => {
  const wormgate = await startWormgate(t, {
    sections: {
      'Virus Pattern Configuration': [
        ...['EnablePatternAutoUpdate=1', 'HitThreshold=3', 'RefreshInterval=3600'],
      ],
    },
  });
  assert.equal(await onScreen(wormgate, 'Last Predicted Request'), '-');
  await send(wormgate, '/first/suspect', 4);
  assert.equal(await onScreen(wormgate, 'Last Predicted Request'), 'GET /first/suspect HTTP/1.0');
  await send(wormgate, '/second/suspect', 4);
  await send(wormgate, '/first/suspect', 4);
  assert.equal(await onScreen(wormgate, 'Last Predicted Request'), 'GET /second/suspect HTTP/1.0');
});

test('"After the server has been up for a while, this gives a good lower limit for the hit threshold": with it humble traffic makes no suspect', async () => {
  const rig = await rigWith('cmd.exe');
  // Ten intervals of a site whose pages are asked for up to 40 times each.
  const visit = (round: number) => {
    for (let page = 1; page <= 20; page += 1) {
      rig.askOften(2 * page + (round % 3), `/page-${page}/of/the/site`, 200);
    }
    rig.clock.pass(10_000);
  };
  for (let round = 0; round < 10; round += 1) visit(round);
  const { recommendThreshold, aveNonVirusHitRate } = rig.hitRates.figures(rig.clock.nowMs());
  assert.ok(recommendThreshold > aveNonVirusHitRate);
  await rig.database.commit([{ kind: 'set', name: 'HitThreshold', value: recommendThreshold }]);
  const before = rig.statistics.get('suspects');
  for (let round = 0; round < 10; round += 1) visit(round);
  assert.equal(rig.statistics.get('suspects'), before);
});

test('"The Threshold value must be always greater than the Ave Non Virus Hit Rate": a lower one is taken, and told', async (t) => {
  const wormgate = await startWormgate(t);
  for (let count = 1; count <= 5; count += 1) await askRaw(wormgate.port, 'GET / HTTP/1.1');
  await enter(wormgate, 'virus -r 3600');
  const told = wormgate.virus('-t', '4');
  assert.equal(told.code, 0);
  assert.equal(
    told.stdout,
    'HitThreshold is now 4. It should be greater than the Ave Non Virus Hit Rate, which is 5.\n',
  );
  assert.equal(wormgate.virus('-t', '6').stdout, 'HitThreshold is now 6.\n');
});

test('"The threshold and refresh time interval settings are tightly coupled": the same traffic, the interval doubled, counts twice', async () => {
  const rig = await rigWith('cmd.exe', 'HitThreshold=30');
  for (let second = 0; second < 60; second += 1) {
    rig.askOften(2, nimda);
    rig.clock.pass(1_000);
  }
  assert.equal(rig.thread.checks.length, 0, 'twenty in ten seconds');
  await rig.database.commit([{ kind: 'set', name: 'RefreshInterval', value: 20 }]);
  for (let second = 0; second < 60; second += 1) {
    rig.askOften(2, nimda);
    rig.clock.pass(1_000);
  }
  assert.equal(rig.thread.checks.length, 1, 'forty in twenty');
});
