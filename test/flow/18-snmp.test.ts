/**
 * SNMP traps of a whole wormgate, as a real snmptrapd receives them while a client of the egress gateway
 * behaves like a worm.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SnmpSender } from '../../src/config/shape.ts';
import { deriveEngineId, loadTrapMaker, objectOids, trapOids } from '../../src/log/snmp.ts';
import type { Cleanup } from '../support/cleanup.ts';
import { programPath, skipWithout } from '../support/parts.ts';
import { projectPath } from '../support/paths.ts';
import { socketCount } from '../support/process.ts';
import { RawClient } from '../support/raw-client.ts';
import { type ReceivedTrap, startTrapReceiver } from '../support/trap-receiver.ts';
import { freePort, makeWormgate, until, type Wormgate } from '../support/wormgate.ts';

const skip = skipWithout('snmptrapd');
const sysUpTime = '1.3.6.1.2.1.1.3.0';
const snmpTrapOid = '1.3.6.1.6.3.1.1.4.1.0';
const worm = '127.0.0.50';

interface Guarded {
  readonly wormgate: Wormgate;
  readonly gateway: number;
  /** Writes PROXY.CFG with these lines in `[SNMP]`. */
  configure(...snmp: string[]): void;
}

async function guarded(t: Cleanup, ...snmp: string[]): Promise<Guarded> {
  const wormgate = await makeWormgate(t);
  const gateway = await freePort();
  const configure = (...lines: string[]) => {
    const sections = {
      'Virus Throttle': [
        'delay_queue_delay_seconds=10',
        'delay_queue_size=10',
        'delay_queue_high_watermark=8',
        'delay_queue_low_watermark=4',
      ],
      Egress: [`Listen=127.0.0.1:${gateway}`, 'AllowPorts=1-65535', 'AllowPrivate=1'],
      SNMP: lines,
      Limits: ['NameTimeout=1'],
    };
    wormgate.configure({ sections });
  };
  configure(...snmp);
  await wormgate.start();
  return { wormgate, gateway, configure };
}

/** Twenty new hosts at once: one is let go, ten wait, nine are dropped. Then the worm is stopped. */
async function outbreak({ wormgate, gateway }: Guarded, source = worm): Promise<void> {
  const before = await wormgate.counter('egress_dropped');
  const clients: RawClient[] = [];
  for (let index = 1; index <= 20; index += 1) {
    const client = await RawClient.connect(gateway, source);
    client.send(`CONNECT 127.0.9.${index}:9 HTTP/1.1\r\nHost: x\r\n\r\n`);
    clients.push(client);
  }
  await until(async () => (await wormgate.counter('egress_dropped')) === before + 9);
  const abandoned = await wormgate.counter('egress_abandoned');
  for (const client of clients) client.reset();
  await until(async () => (await wormgate.counter('egress_abandoned')) === abandoned + 10);
}

function kindsOf(traps: readonly ReceivedTrap[]) {
  return traps.map((trap) => trap.get(snmpTrapOid));
}

const allThree = [trapOids.detected, trapOids.dropping, trapOids.stopped];

test('v2c: a worm is detected, dropped and over, as in the log, with sysUpTime', {
  skip,
}, async (t) => {
  const receiver = await startTrapReceiver(t, ['authCommunity log worm-watch']);
  const begin = performance.now();
  const started = await guarded(t, `TrapSinks=127.0.0.1:${receiver.port}`, 'Community=worm-watch');
  await outbreak(started);
  const traps = await receiver.untilCount(3);
  const upMax = (performance.now() - begin) / 10;
  assert.deepEqual(kindsOf(traps), allThree);
  const values = (trap: ReceivedTrap) => {
    const { sourceAddress, waiting, dropped, instance } = objectOids;
    return [sourceAddress, waiting, dropped, instance].map((oid) => trap.get(oid));
  };
  const instance = `${hostname()}:${started.wormgate.dataFolder}`;
  assert.deepEqual(traps.map(values), [
    [worm, '8', '0', instance],
    [worm, '10', '1', instance],
    [worm, '3', '9', instance],
  ]);
  const ticks = traps.map((trap) => Number(trap.get(sysUpTime)));
  assert.ok(
    ticks.every((tick) => tick > 0 && tick <= upMax),
    `${ticks}`,
  );
  assert.deepEqual(
    [...ticks].sort((a, b) => a - b),
    ticks,
  );
  await until(() => started.wormgate.throttleLog().includes('ALERT_VLA_STOPPED'));
  const log = started.wormgate.throttleLog();
  for (const trap of traps) assert.ok(log.includes(`[${trap.get(objectOids.time)}]`), log);
  assert.match(
    log,
    new RegExp(`\\[INFO\\].* SNMP v2c traps go to 127\\.0\\.0\\.1:${receiver.port}\n`),
  );
  assert.doesNotMatch(log, /worm-watch/);
  assert.equal(await started.wormgate.counter('snmp_traps_sent'), 3);
  assert.equal(await started.wormgate.counter('snmp_traps_failed'), 0);
});

test('v3: authenticated and encrypted, also after a restart', { skip }, async (t) => {
  const engineId = '80007ed90501020304';
  const keys = ['maple syrup, twice', 'crypto for worms'];
  const user = `createUser -e 0x${engineId} gate SHA-256 "${keys[0]}" AES "${keys[1]}"`;
  const receiver = await startTrapReceiver(t, [user, 'authUser log gate priv']);
  const started = await guarded(
    t,
    ...[`TrapSinks=127.0.0.1:${receiver.port}`, 'Version=v3', 'User=gate'],
    ...[`AuthKey="${keys[0]}"`, `PrivKey="${keys[1]}"`, `EngineId=${engineId}`],
  );
  await outbreak(started);
  assert.deepEqual(kindsOf(await receiver.untilCount(3)), allThree);
  assert.equal(receiver.traps[0]?.get(objectOids.sourceAddress), worm);
  const told = new RegExp(`v3 traps of user gate .*${engineId}\n`);
  await until(() => told.test(started.wormgate.throttleLog()));
  await started.wormgate.stop();
  await started.wormgate.start();
  await outbreak(started);
  assert.deepEqual(kindsOf(await receiver.untilCount(6)).slice(3), allThree);
});

test('every security level, hash function and cipher is understood', { skip }, async (t) => {
  const engineId = '80007ed905aabbccdd';
  const key = '12345678';
  const hashes = { sha: 'SHA', sha224: 'SHA-224', sha256: 'SHA-256', sha384: 'SHA-384' } as const;
  const ciphers = { aes: 'AES', aes256b: 'AES-256', aes256r: 'AES-256-C' } as const;
  const lines: string[] = [];
  const senders: SnmpSender[] = [];
  const add = (name: string, level: string, options: string, sender: Partial<SnmpSender>) => {
    lines.push(`createUser -e 0x${engineId} ${name} ${options}`, `authUser log ${name} ${level}`);
    const plain = { version: 'v3', user: name, auth: undefined, priv: undefined } as const;
    senders.push({ ...plain, engineId, ...sender } as SnmpSender);
  };
  add('nobody', 'noauth', '', {});
  for (const [protocol, hash] of Object.entries({ ...hashes, sha512: 'SHA-512' })) {
    const auth = { protocol, key } as { protocol: 'sha'; key: string };
    add(`only-${protocol}`, 'auth', `${hash} ${key}`, { auth });
    for (const [cipher, name] of Object.entries(ciphers)) {
      const priv = { protocol: cipher, key: '87654321' } as { protocol: 'aes'; key: string };
      const options = `${hash} ${key} ${name} 87654321`;
      add(`${protocol}-${cipher}`, 'priv', options, { auth, priv });
    }
  }
  const receiver = await startTrapReceiver(t, lines);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const startMs = Date.now();
  for (const [index, sender] of senders.entries()) {
    const make = await loadTrapMaker(sender, { instance: 'test', startMs });
    const source = sender.version === 'v3' ? sender.user : '';
    const alert = { event: 'detected', source, waiting: 1, dropped: 0, atMs: startMs } as const;
    socket.send(make(alert, 1_000), receiver.port, '127.0.0.1');
    const traps = await receiver.untilCount(index + 1);
    assert.equal(traps[index]?.get(objectOids.sourceAddress), source);
  }
});

test('an old trap of v3 that is sent again is not taken', { skip }, async (t) => {
  const engineId = '80007ed90511223344';
  const user = `createUser -e 0x${engineId} gate SHA-256 12345678 AES 12345678`;
  const receiver = await startTrapReceiver(t, [user, 'authUser log gate priv']);
  const auth = { protocol: 'sha256', key: '12345678' } as const;
  const priv = { protocol: 'aes', key: '12345678' } as const;
  const sender = { version: 'v3', user: 'gate', auth, priv, engineId } as const;
  const make = await loadTrapMaker(sender, { instance: 'test', startMs: Date.now() });
  const trap = (source: string, upSeconds: number) => {
    const alert = { event: 'detected', source, waiting: 1, dropped: 0, atMs: 0 } as const;
    return make(alert, upSeconds * 1_000);
  };
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const sent = [trap('old', 1), trap('new', 1_000), trap('old', 1), trap('newer', 1_001)];
  for (const bytes of sent) {
    await new Promise((done) => socket.send(bytes, receiver.port, '127.0.0.1', done));
  }
  await until(() => receiver.output.includes('newer'));
  const sources = receiver.traps.map((each) => each.get(objectOids.sourceAddress));
  assert.deepEqual(sources, ['old', 'new', 'newer']);
});

test('sinks that are down, unknown or out of reach change nothing', async (t) => {
  const deaf = await freePort();
  const sinks = `TrapSinks=127.0.0.1:${deaf}, nowhere.invalid, 255.255.255.255:${deaf}, [::1]:${deaf}`;
  const started = await guarded(t, sinks);
  const { wormgate } = started;
  await outbreak(started);
  const told = async () => {
    const failed = await wormgate.counter('snmp_traps_failed');
    return [(await wormgate.counter('snmp_traps_sent')) + failed, failed] as const;
  };
  await until(async () => (await told())[0] === 12);
  const [, failed] = await told();
  // Without IPv6 three more.
  assert.ok(failed === 6 || failed === 9, `${failed}`);
  await until(() => wormgate.throttleLog().includes('ALERT_VLA_STOPPED'));
  const log = wormgate.throttleLog();
  for (const tag of ['ALERT_VLA_DETECTED', 'DROPPING_CONNECTIONS', 'ALERT_VLA_STOPPED']) {
    assert.equal(log.split(`[${tag}]`).length, 2, log);
  }
  // Every trap goes by the same two sockets.
  const before = socketCount(wormgate.pid);
  for (let source = 60; source < 64; source += 1) await outbreak(started, `127.0.0.${source}`);
  await until(async () => (await told())[0] === 60);
  assert.ok(socketCount(wormgate.pid) <= before + 1);
  assert.equal(await wormgate.stop(), 0);
  assert.equal(wormgate.stderr, '');
});

test('a reload turns traps on, elsewhere and off, and prints no secret', { skip }, async (t) => {
  const started = await guarded(t);
  const { wormgate, configure } = started;
  const engineId = deriveEngineId(`${hostname()}:${wormgate.dataFolder}`);
  const user = `createUser -e 0x${engineId} gate SHA-512 maplesyrup`;
  const one = await startTrapReceiver(t, ['authCommunity log public']);
  const two = await startTrapReceiver(t, [user, 'authUser log gate auth']);
  let reloads = 0;
  const reload = async (...lines: string[]) => {
    configure(...lines);
    wormgate.signal('SIGHUP');
    reloads += 1;
    await until(async () => (await wormgate.counter('reloads')) === reloads);
  };
  await outbreak(started, '127.0.0.51');
  await reload(`TrapSinks=127.0.0.1:${one.port}`);
  await outbreak(started, '127.0.0.52');
  await one.untilCount(3);
  const v3 = ['Version=v3', 'User=gate', 'SecurityLevel=authNoPriv', 'AuthProtocol=sha512'];
  await reload(`TrapSinks=127.0.0.1:${two.port}`, ...v3, 'AuthKey=maplesyrup');
  await outbreak(started, '127.0.0.53');
  await two.untilCount(3);
  configure('Version=v3', 'AuthKey=hush', 'PrivKey="hush" hush');
  wormgate.signal('SIGHUP');
  await until(() => wormgate.stderr.includes('was not taken over'));
  assert.match(wormgate.stderr, /PROXY\.CFG:\d+: \[SNMP\] AuthKey: it has 4 characters/);
  await reload();
  await outbreak(started, '127.0.0.54');
  assert.equal(await wormgate.counter('snmp_traps_sent'), 6);
  assert.deepEqual([one.traps.length, two.traps.length], [3, 3]);
  assert.equal(one.traps[0]?.get(objectOids.sourceAddress), '127.0.0.52');
  assert.equal(two.traps[0]?.get(objectOids.sourceAddress), '127.0.0.53');
  await until(() => wormgate.throttleLog().includes(engineId));
  const printed = wormgate.stderr + wormgate.throttleLog();
  assert.doesNotMatch(printed, /hush|maplesyrup/);
});

test('snmptranslate reads the MIB without a warning, and its names are our numbers', {
  skip: skipWithout('snmptranslate'),
}, (t) => {
  // It says so when it makes the folder of its state, and the one within.
  const state = mkdtempSync(join(tmpdir(), 'wormgate-mib-'));
  mkdirSync(join(state, 'cert_indexes'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const mibs = projectPath('node_modules/net-snmp/lib/mibs');
  const options = ['-m', projectPath('docs/WORMGATE-MIB.txt'), '-M', mibs, '-Pe', '-On'];
  const translate = (name: string) => {
    const command = [`exec "$0" "$@" 2>&1`, programPath('snmptranslate'), ...options, name];
    const env = { ...process.env, SNMP_PERSISTENT_DIR: state, MIBS: '' };
    return execFileSync('sh', ['-c', ...command], { encoding: 'utf8', env }).trim();
  };
  const names = {
    wormgateVirusLikeActivityDetected: trapOids.detected,
    wormgateVirusLikeActivityStopped: trapOids.stopped,
    wormgateDroppingConnections: trapOids.dropping,
    'wormgateSourceAddress.0': objectOids.sourceAddress,
    'wormgateWaiting.0': objectOids.waiting,
    'wormgateDropped.0': objectOids.dropped,
    'wormgateTime.0': objectOids.time,
    'wormgateInstance.0': objectOids.instance,
  };
  for (const [name, oid] of Object.entries(names)) {
    assert.equal(translate(`WORMGATE-MIB::${name}`), `.${oid}`);
  }
});
