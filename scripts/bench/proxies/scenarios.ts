/** THE table of scenarios: what is asked of which peers, and over how many connections. */
import type { PeerName, Ports } from './peers.ts';

/** Code Red's, without the escapes at its end. */
export const virusPath = `/default.ida?${'N'.repeat(224)}=a`;

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** How it is measured: by the load itself, or by a humble client beside it. */
  readonly kind: 'load' | 'flood';
  readonly path: string;
  /** Which of a peer's ports is asked. */
  readonly door: 'relay' | 'open' | 'closing';
  readonly connections: number;
  /** Each request on a connection of its own. */
  readonly closing: boolean;
  readonly peers: readonly PeerName[];
  /** Measured only while access logs are off. */
  readonly logsOffOnly?: boolean;
  /** Told below the table. */
  readonly note?: string;
}

const everyRelay = [
  'nginx',
  'haproxy',
  'varnish',
  'apache',
  'http-proxy',
  'fastify',
  'wormgate',
  'wormgate-front',
] as const satisfies readonly PeerName[];

const fewRelays = ['nginx', 'haproxy', 'http-proxy', 'wormgate'] as const;

function relay(size: '1k' | '64k', connections: number, more: Partial<Scenario> = {}): Scenario {
  const sizeTitle = size === '1k' ? '1 KiB' : '64 KiB';
  const plural = connections === 1 ? '' : 's';
  return {
    name: `relay-${size}-${connections}`,
    title: `relay ${sizeTitle}, ${connections.toLocaleString('en')} connection${plural}`,
    kind: 'load',
    path: `/${size}`,
    door: 'relay',
    connections,
    closing: false,
    peers: everyRelay,
    ...more,
  };
}

/** The scenario that the aims are about. */
export const relayScenario = relay('1k', 64, {
  peers: [...everyRelay, 'modsecurity'],
  note: 'The scenario that the aims are about. nginx with ModSecurity and the OWASP Core Rule Set is what users of a web application firewall pay today; it inspects far more than wormgate does.',
});

export const scenarios: readonly Scenario[] = [
  relayScenario,
  relay('1k', 1),
  relay('1k', 1_000),
  relay('64k', 64),
  relay('64k', 1, { peers: fewRelays, logsOffOnly: true }),
  relay('64k', 1_000, { peers: fewRelays, logsOffOnly: true }),
  {
    name: 'cache-hit',
    title: 'cache hit, 1 KiB, 64 connections',
    kind: 'load',
    path: '/cached/1k',
    door: 'relay',
    connections: 64,
    closing: false,
    peers: ['nginx', 'varnish', 'wormgate-cached'],
    note: 'wormgate: `Cache=1`, and no other setting changed. nginx: `proxy_cache`. Varnish: its defaults.',
  },
  {
    name: 'virus-open',
    title: 'virus request, connection stays open, 64 connections',
    kind: 'load',
    path: virusPath,
    door: 'open',
    connections: 64,
    closing: false,
    peers: ['nginx', 'haproxy', 'wormgate', 'wormgate-front'],
    note: 'wormgate: `VirusAction=drop`, the peer in `TrustedProxies`. HAProxy: `http-request deny`. nginx: `return 400` with a text, because with its own page it closes the connection.',
  },
  {
    name: 'virus-new',
    title: 'virus request, a new connection each, 64 at a time',
    kind: 'load',
    path: virusPath,
    door: 'closing',
    connections: 64,
    closing: true,
    peers: [
      'nginx',
      'haproxy',
      'wormgate',
      'wormgate-front',
      'wormgate-slip',
      'wormgate-front-slip',
    ],
    note: 'wormgate: `VirusAction=drop`, and `slip`, which is the default. A slip is no answer, so wrk sees neither requests nor latencies: they are counted by `virus_requests`. nginx: `return 400`. HAProxy: `http-request deny`.',
  },
  {
    name: 'flood',
    title: 'humble requests during a flood of virus requests',
    kind: 'flood',
    path: virusPath,
    door: 'closing',
    connections: 64,
    closing: true,
    peers: ['nginx', 'wormgate', 'wormgate-front'],
    logsOffOnly: true,
  },
  {
    name: 'scanning',
    title: 'relay 1 KiB, 64 connections, scanning on against off',
    kind: 'load',
    path: '/1k',
    door: 'relay',
    connections: 64,
    closing: false,
    peers: ['scanning-off', 'patterns-0', 'patterns-255', 'patterns-10000', 'patterns-1000000'],
    logsOffOnly: true,
    note: 'The differences here are mostly noise. What scanning really adds is measured in process, below.',
  },
];

/** What a peer answers when it does as the scenario wants; undefined: no answer at all. */
export function expectedStatuses(
  scenario: Scenario,
  peer: PeerName,
): readonly (number | undefined)[] {
  if (scenario.path !== virusPath) return [200];
  return peer.endsWith('-slip') ? [undefined] : [400, 403];
}

export function portOf(scenario: Scenario, ports: Ports): number {
  return ports[scenario.door];
}
