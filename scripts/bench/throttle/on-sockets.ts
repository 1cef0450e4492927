/**
 * The worm of 2003 on real sockets: CONNECTs at a constant rate through an egress gateway in this process,
 * to addresses of 127.0.0.0/8, each a host of its own, until the throttle detects it.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { systemClock } from '../../../src/clock.ts';
import { EgressGateway } from '../../../src/egress/gateway.ts';
import { Resolver } from '../../../src/egress/resolver.ts';
import { Statistics } from '../../../src/statistics.ts';
import { ThrottledSources } from '../../../src/throttle/sources.ts';
import { type Stop, stopOf2003 } from './stopping.ts';
import { settingsOf2003 } from './throttled-worm.ts';

/** How often the worm looks whether a connection is due. */
const lookMs = 2;
const rates: readonly number[] = [20, 100, 850];

/** What happened at one rate; `paper` is undefined where 2003 has no such rate. */
export interface SocketRow {
  readonly perSecond: number;
  readonly paper: Stop | undefined;
  readonly measured: Stop;
}

/** Every host of the world, on one port. */
async function openWorld(reached: Set<string>) {
  const world = createServer((socket) => {
    reached.add(socket.localAddress ?? '');
    socket.on('error', () => {});
    socket.end();
  });
  world.listen(0, '0.0.0.0');
  await once(world, 'listening');
  const address = world.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { world, port: address.port };
}

async function openGateway(onDetected: () => void) {
  const sources = new ThrottledSources({
    clock: systemClock,
    onFull: () => {},
    isOn: () => true,
    isOrigin: () => false,
    settings: () => settingsOf2003,
    blockMs: () => undefined,
    sourcesMax: () => 1,
    onEvent: (_source, event) => {
      if (event === 'detected') onDetected();
    },
  });
  const limitMs = 60_000;
  const gateway = new EgressGateway({
    settings: () => ({
      ...{ allow: ['127.0.0.0/8'], allowPorts: [[1, 65_535]], allowPrivate: true, credentials: '' },
      ...{ connectionsMax: 10_000, sourceConnectionsMax: 10_000, headerBytesMax: 16_384 },
      ...{ headerTimeoutMs: limitMs, connectTimeoutMs: limitMs, originTimeoutMs: limitMs },
      idleTimeoutMs: limitMs,
    }),
    sources,
    resolver: new Resolver({
      ...{ clock: systemClock, timeoutMs: () => limitMs, lifetimeMs: () => limitMs },
      ...{ lookupsMax: () => 1, namesMax: () => 1 },
      ask: () => Promise.reject(new Error('no names here')),
    }),
    statistics: new Statistics(),
    log: () => {},
    nowMs: () => systemClock.nowMs(),
  });
  return { sources, gateway, port: await gateway.listen(0, '127.0.0.1') };
}

function hostOf(number: number): string {
  return `127.1.${number >> 8}.${number & 0xff || 1}`;
}

async function measure(perSecond: number): Promise<Stop> {
  const reached = new Set<string>();
  const { world, port } = await openWorld(reached);
  let isDetected = false;
  const {
    sources,
    gateway,
    port: gatewayPort,
  } = await openGateway(() => {
    isDetected = true;
  });
  const clients: Socket[] = [];
  const begin = (host: string) => {
    const client = connect(gatewayPort, '127.0.0.1');
    client.on('error', () => {});
    client.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    clients.push(client);
    return client;
  };
  // The owner fills the working set; each visit waits for its turn.
  for (let host = 1; host <= settingsOf2003.workingSetSize; host += 1) {
    await once(begin(`127.2.0.${host}`), 'data');
  }
  const startMs = performance.now();
  let tried = 0;
  while (!isDetected) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const due = Math.floor(((performance.now() - startMs) / 1_000) * perSecond);
    while (tried < due) begin(hostOf(++tried));
  }
  const seconds = (performance.now() - startMs) / 1_000;
  const wormHosts = [...reached].filter((host) => host.startsWith('127.1.')).length;
  for (const client of clients) client.destroy();
  sources.close();
  await gateway.close(0);
  world.close();
  return { seconds, reached: wormHosts };
}

/** At 20, 100 and 850 connections a second; the last is what SQL Slammer did. */
export async function measureOnSockets(): Promise<SocketRow[]> {
  const rows: SocketRow[] = [];
  for (const perSecond of rates) {
    rows.push({ perSecond, paper: stopOf2003(perSecond), measured: await measure(perSecond) });
  }
  return rows;
}
