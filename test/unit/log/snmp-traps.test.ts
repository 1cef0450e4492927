import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { SnmpSettings } from '../../../src/config/shape.ts';
import { deriveEngineId, loadTrapMaker } from '../../../src/log/snmp.ts';
import type { ThrottleAlert } from '../../../src/log/throttle-log.ts';
import { TrapSender, underWayMax } from '../../../src/log/traps.ts';
import { Statistics } from '../../../src/statistics.ts';
import type { Cleanup } from '../../support/cleanup.ts';
import { until } from '../../support/wormgate.ts';

const alert: ThrottleAlert = {
  ...{ event: 'detected', source: '2001:db8::7', waiting: 160, dropped: 2 ** 32 + 5 },
  atMs: Date.UTC(2005, 1, 10),
};
const origin = { instance: 'host:/data', startMs: Date.UTC(2020, 0, 1, 0, 1) };
const v2c = { version: 'v2c', community: 'public' } as const;

interface Rig {
  readonly sender: TrapSender;
  readonly statistics: Statistics;
  readonly notes: string[];
  readonly asked: string[];
  settings: SnmpSettings;
  upMs: number;
  resolve: (host: string) => Promise<readonly string[]>;
}

function rig(t: Cleanup, settings: SnmpSettings): Rig {
  const made = {
    ...{ statistics: new Statistics(), notes: [] as string[], asked: [] as string[], settings },
    upMs: 1_000,
    resolve: async (host: string): Promise<readonly string[]> => [host],
  };
  const sender = new TrapSender({
    settings: () => made.settings,
    origin,
    upMs: () => made.upMs,
    statistics: made.statistics,
    resolve: (host) => {
      made.asked.push(host);
      return made.resolve(host);
    },
    note: (tag, text) => made.notes.push(`${tag} ${text}`),
  });
  t.after(() => sender.close());
  return Object.assign(made, { sender });
}

async function listen(t: Cleanup): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { socket, port: socket.address().port };
}

/** The numbers of an INTEGER or a like type of BER at `at`. */
function numberAt(bytes: Buffer, at: number): number {
  const length = bytes.readUInt8(at + 1);
  return bytes.readUIntBE(at + 2, length);
}

const sysUpTime = Buffer.from('06082b06010201010300', 'hex');

test('without sinks net-snmp is not loaded', async (t) => {
  const { cache } = createRequire(import.meta.url);
  const isLoaded = () => Object.keys(cache).some((path) => path.includes('/net-snmp/'));
  const idle = rig(t, { sinks: [], sender: v2c });
  idle.sender.tell(alert);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isLoaded(), false);
  assert.deepEqual([idle.notes, idle.asked], [[], []]);
  idle.settings = { sinks: [{ host: '127.0.0.1', port: 9 }], sender: v2c };
  idle.sender.applySettings();
  idle.sender.tell(alert);
  await until(() => idle.statistics.get('snmp_traps_sent') === 1);
  assert.equal(isLoaded(), true);
});

test('sysUpTime goes on after 497 days, and begins with a number', async () => {
  const make = await loadTrapMaker(v2c, origin);
  const ticksAt = (upMs: number) => {
    const bytes = make(alert, upMs);
    return numberAt(bytes, bytes.indexOf(sysUpTime) + sysUpTime.length);
  };
  assert.equal(ticksAt(12_345), 1_234);
  assert.equal(ticksAt((2 ** 32 - 1) * 10), 2 ** 32 - 1);
  assert.equal(ticksAt((2 ** 32 + 77) * 10), 77);
  assert.equal(ticksAt(0), 1);
});

test('a trap has an IPv6 address as text, and its counter begins again after 32 bits', async () => {
  const make = await loadTrapMaker(v2c, { ...origin, instance: `h\u00fc:${'x'.repeat(300)}` });
  const bytes = make(alert, 1_000);
  assert.ok(bytes.includes('2001:db8::7'));
  assert.ok(bytes.includes(`h?:${'x'.repeat(252)}`));
  assert.ok(!bytes.includes('x'.repeat(253)));
  const counterOfFive = Buffer.from('410105', 'hex');
  assert.ok(bytes.includes(counterOfFive));
});

test('the engine id stays the same and tells instances apart; boots and time grow', async () => {
  const id = deriveEngineId('host:/data');
  assert.match(id, /^80007ed905[0-9a-f]{24}$/);
  assert.equal(deriveEngineId('host:/data'), id);
  assert.notEqual(deriveEngineId('host:/other'), id);
  const user = { version: 'v3', user: 'u', auth: undefined, priv: undefined } as const;
  const sender = { ...user, engineId: undefined };
  const securityOf = async (startMs: number, upMs: number) => {
    const bytes = (await loadTrapMaker(sender, { ...origin, startMs }))(alert, upMs);
    const at = bytes.indexOf(id, 0, 'hex') + id.length / 2;
    return [numberAt(bytes, at), numberAt(bytes, at + 2 + bytes.readUInt8(at + 1))];
  };
  assert.deepEqual(await securityOf(origin.startMs, 7_999), [60, 7]);
  assert.deepEqual(await securityOf(origin.startMs + 3_000, 1_000_000), [63, 1_000]);
  // A clock that was never set.
  assert.deepEqual(await securityOf(0, 0), [1, 0]);
});

test('a name server that does not answer takes the places of its own sink alone', async (t) => {
  const { socket, port } = await listen(t);
  let received = 0;
  socket.on('message', () => {
    received += 1;
  });
  const sinks = ['slow.test', '127.0.0.1'].map((host) => ({ host, port }));
  const slow = rig(t, { sinks, sender: v2c });
  let fail = () => {};
  slow.resolve = (host) => {
    if (host !== 'slow.test') return Promise.resolve([host]);
    return new Promise((_, reject) => {
      fail = () => reject(new Error('too late'));
    });
  };
  const count = underWayMax + 40;
  for (let each = 0; each < count; each += 1) {
    slow.sender.tell(alert);
    await until(() => received === each + 1);
  }
  assert.equal(slow.statistics.get('snmp_traps_sent'), count);
  assert.equal(slow.statistics.get('snmp_traps_failed'), 40);
  assert.deepEqual(slow.asked.sort(), ['127.0.0.1', 'slow.test']);
  fail();
  await until(() => slow.statistics.get('snmp_traps_failed') === count);
  // Asked again only when the answer is old, and then there is room.
  slow.resolve = async () => ['127.0.0.1'];
  slow.sender.tell(alert);
  await until(() => slow.statistics.get('snmp_traps_failed') === count + 1);
  slow.upMs += 60_000;
  slow.sender.tell(alert);
  await until(() => slow.statistics.get('snmp_traps_sent') === count + 3);
});

test('the next address is tried when one cannot be sent to', async (t) => {
  const { socket, port } = await listen(t);
  const tried = rig(t, { sinks: [{ host: 'both.test', port }], sender: v2c });
  tried.resolve = async () => ['255.255.255.255', '127.0.0.1'];
  tried.sender.tell(alert);
  await once(socket, 'message');
  await until(() => tried.statistics.get('snmp_traps_sent') === 1);
  assert.equal(tried.statistics.get('snmp_traps_failed'), 0);
});

test('garbage that comes back does no harm', async (t) => {
  const { socket, port } = await listen(t);
  const plain = rig(t, { sinks: [{ host: '127.0.0.1', port }], sender: v2c });
  const ports = new Set<number>();
  for (let each = 0; each < 20; each += 1) {
    plain.sender.tell(alert);
    const [, from] = (await once(socket, 'message')) as [Buffer, RemoteInfo];
    ports.add(from.port);
    socket.send(Buffer.from('302902010304', 'hex'), from.port, '127.0.0.1');
  }
  await until(() => plain.statistics.get('snmp_traps_sent') === 20);
  assert.equal(ports.size, 1, 'one socket');
});

test('after an unchanged reload nothing is told anew, and after the end nothing is sent', async (t) => {
  const key = 'a secret of mine';
  const auth = { protocol: 'sha512', key } as const;
  const priv = { protocol: 'aes', key } as const;
  const make = (): SnmpSettings => ({
    sinks: [{ host: '::1', port: 9 }],
    sender: { version: 'v3', user: 'u', auth, priv, engineId: undefined },
  });
  const quiet = rig(t, make());
  quiet.settings = make();
  quiet.sender.applySettings();
  const id = deriveEngineId('host:/data');
  const note = `INFO SNMP v3 traps of user u go to [::1]:9; the engine id is ${id}`;
  assert.deepEqual(quiet.notes, [note]);
  quiet.sender.close();
  quiet.sender.tell(alert);
  assert.deepEqual(quiet.asked, []);
});

test('a socket that cannot be had, or fails, makes room for another', async (t) => {
  const { port } = await listen(t);
  const opened: Socket[] = [];
  const { bind } = Socket.prototype;
  t.mock.method(
    Socket.prototype,
    'bind',
    function (this: Socket, ...options: Parameters<typeof bind>) {
      opened.push(this);
      if (opened.length > 1) return bind.apply(this, options);
      process.nextTick(() => this.emit('error', new Error('too many open files')));
      return this;
    },
  );
  const unlucky = rig(t, { sinks: [{ host: '127.0.0.1', port }], sender: v2c });
  unlucky.sender.tell(alert);
  await until(() => unlucky.statistics.get('snmp_traps_failed') === 1);
  unlucky.sender.tell(alert);
  await until(() => unlucky.statistics.get('snmp_traps_sent') === 1);
  opened[1]?.emit('error', new Error('whatever'));
  unlucky.sender.tell(alert);
  await until(() => unlucky.statistics.get('snmp_traps_sent') === 2);
  assert.equal(opened.length, 3);
});
