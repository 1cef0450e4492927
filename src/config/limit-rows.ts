/**
 * The rows of `[Limits]`: a bound for every queue, table, line and wait. PROXY.CFG writes times in
 * seconds; load.ts turns them into the milliseconds of shape.ts.
 */
import { defineSection, type Row } from './table.ts';
import { integer } from './value.ts';

function limit(options: {
  min: number;
  max: number;
  unit: string;
  default: number;
  help: string;
}): Row<number> {
  const { min, max, unit, help } = options;
  return { type: integer({ min, max }, unit), default: String(options.default), live: true, help };
}

function seconds(defaultSeconds: number, max: number, help: string, min = 1): Row<number> {
  return limit({ min, max, unit: 'seconds', default: defaultSeconds, help });
}

function bytes(defaultBytes: number, min: number, max: number, help: string): Row<number> {
  return limit({ min, max, unit: 'bytes', default: defaultBytes, help });
}

/** A bound that a part is made with, and that holds until the next start. */
function untilRestart(row: Row<number>): Row<number> {
  return { ...row, live: false };
}

function count(defaultCount: number, min: number, max: number, help: string): Row<number> {
  return limit({ min, max, unit: '', default: defaultCount, help });
}

const hourSeconds = 3600;
const daySeconds = 86_400;
const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const gibibyte = 1024 * mebibyte;
const tebibyte = 1024 * gibibyte;

const requestLimits = {
  MaxRequestLine: bytes(
    8 * kibibyte,
    256,
    64 * kibibyte,
    'The longest request line. A longer one is answered 414 and counted as request_line_too_long.',
  ),
  MaxHeaderBytes: untilRestart(
    bytes(
      16 * kibibyte,
      kibibyte,
      256 * kibibyte,
      'The size of a whole request head, request line included. More is answered 431 and counted as request_headers_too_large.',
    ),
  ),
  MaxHeaders: count(
    100,
    10,
    2000,
    'How many header lines a request may have. More is answered 431 and counted as request_headers_too_large.',
  ),
  MaxRequestBody: bytes(
    gibibyte,
    0,
    tebibyte,
    'The largest request body; 0 sets no limit. A larger one is answered 413 and counted as request_body_too_large. Bodies are streamed, so the size costs no memory.',
  ),
};

const timeouts = {
  HeaderTimeout: seconds(
    10,
    hourSeconds,
    'How long a request line and its headers may take to arrive. Then the connection is closed and counted as request_header_timeouts: the answer to clients that send a byte now and then.',
  ),
  BodyTimeout: seconds(
    30,
    hourSeconds,
    'How long a request body may pause. Then the connection is closed and counted as request_body_timeouts.',
  ),
  KeepAliveTimeout: seconds(
    65,
    hourSeconds,
    'How long an idle connection is kept open for the next request. Behind a load balancer it should be longer than the time that the balancer keeps idle connections.',
  ),
  SendTimeout: seconds(
    60,
    hourSeconds,
    'How long a client may read nothing of the answer that waits for it. Then the connection is closed and counted as response_send_timeouts.',
  ),
  ConnectTimeout: seconds(
    5,
    hourSeconds,
    'How long connecting to an origin may take, its TLS handshake included. Then the request is answered 504 and counted as origin_connect_timeouts.',
  ),
  OriginTimeout: seconds(
    60,
    hourSeconds,
    'How long an origin may be silent before its answer, and how long a request may wait for a connection to it. Then the request goes to another origin if it may (docs/origins.md), and otherwise is answered 504, or 503 if it has waited for a connection. Counted as origin_timeouts, or origin_queue_full.',
  ),
  OriginReadTimeout: {
    ...seconds(
      0,
      hourSeconds,
      'How long an origin may be silent within its answer. Then the connection to the client is closed. Counted as origin_timeouts.',
      0,
    ),
    defaultNote: '0: the same as OriginTimeout',
  },
  OriginKeepAlive: seconds(
    60,
    hourSeconds,
    'How long a connection to an origin is kept idle for the next request; less when the origin says so in Keep-Alive. 0: it is closed behind every answer. A connection that the origin gives up at the same moment may cost a POST its answer: stay below the time that the origin keeps it.',
    0,
  ),
  OriginRetryTimeout: seconds(
    30,
    hourSeconds,
    'A request whose origin has failed goes to another one only while it is younger than this.',
  ),
  UpgradeTimeout: seconds(
    hourSeconds,
    daySeconds,
    'How long an upgraded connection, such as a WebSocket, may carry nothing in either direction. Then it is closed and counted as upgrade_timeouts.',
  ),
  DrainSeconds: seconds(
    10,
    hourSeconds,
    'How long a stop waits for the requests in flight before it closes their connections, and a reload for those on an address that is listened to no longer.',
    0,
  ),
};

const connectionLimits = {
  MaxConnections: count(
    10_000,
    1,
    1_000_000,
    'How many client connections are open at once, all accelerators together. More are closed at once and counted as connections_refused. Each needs up to two file handles: raise `ulimit -n` with it.',
  ),
  MaxOriginConnections: count(
    256,
    1,
    65_535,
    'How many requests one origin is sent at once, each on a connection; upgraded connections do not count. Further requests wait in its queue. maxconn in Origin sets less for one of them.',
  ),
  MaxOriginQueue: count(
    1024,
    0,
    65_535,
    'How many requests wait for a connection to one origin. More go to another origin, or are answered 503 and counted as origin_queue_full.',
  ),
  MaxOriginTries: count(
    3,
    1,
    10,
    'How many of several origins one request is tried on, when one after the other fails. What is sent again is told in docs/origins.md.',
  ),
};

const tlsLimits = {
  TlsHandshakeTimeout: seconds(
    10,
    hourSeconds,
    'How long a PROXY protocol header and a TLS handshake may take, each. Then the connection is closed and counted as tls_handshake_timeouts or proxy_headers_refused.',
  ),
  MaxTlsHandshakes: count(
    1000,
    1,
    100_000,
    'How many TLS handshakes are under way at once on one address. More connections are closed at once and counted as tls_handshakes_refused. A handshake costs as much as dozens of requests.',
  ),
  MaxH2Streams: count(
    100,
    1,
    1000,
    'How many requests are under way at once on one HTTP/2 connection. Clients are told; further ones are refused and may be sent again.',
  ),
  MaxH2HeaderBytes: bytes(
    64 * kibibyte,
    4 * kibibyte,
    mebibyte,
    'The size of the header list of an HTTP/2 request, as HTTP/2 counts it: 32 more for each line. Beyond it the request is reset. Below it MaxHeaderBytes still holds, with its answer 431.',
  ),
  MaxH2Resets: count(
    200,
    1,
    100_000,
    'How many requests a client may take back within ten seconds on one HTTP/2 connection before they are answered. Beyond it the connection is closed with ENHANCE_YOUR_CALM and counted as h2_floods.',
  ),
  MaxH2SessionMemory: limit({
    min: 1,
    max: 1024,
    unit: 'MiB',
    default: 10,
    help: 'The memory that one HTTP/2 connection may hold for header tables, streams and unsent data. Beyond it new requests on it are refused.',
  }),
};

const operatorLimits = {
  MaxLogBacklog: untilRestart(
    bytes(
      8 * mebibyte,
      64 * kibibyte,
      gibibyte,
      'How many bytes of log lines wait in memory for the disk, for each log. Lines beyond are lost and counted as log_lines_lost; requests never wait for a log.',
    ),
  ),
  MaxConsoleLine: bytes(
    4 * kibibyte,
    256,
    64 * kibibyte,
    'The longest console command, and the longest line of an NCF file.',
  ),
  MaxConsoleClients: count(
    16,
    1,
    1024,
    'How many console connections are open at once. More are refused and counted as console_clients_refused.',
  ),
  MaxJournalBytes: untilRestart(
    bytes(
      gibibyte,
      mebibyte,
      tebibyte,
      'The size of the journal that keeps console changes across a crash. Above it the journal is written anew, as short as it can be.',
    ),
  ),
};

const learningLimits = {
  MaxDistributionTable: untilRestart(
    bytes(
      32 * mebibyte,
      mebibyte,
      gibibyte,
      'The memory in which Auto Update counts identical requests. The default counts a million different windows in one refresh interval exactly; of more, the least seen are forgotten and counted as windows_displaced.',
    ),
  ),
  MaxServedMemory: untilRestart(
    bytes(
      4 * mebibyte,
      64 * kibibyte,
      gibibyte,
      'The memory in which Auto Update keeps what was lately served. The fuller it is, the more often something counts as served that was not, so that it is proposed and not learned.',
    ),
  ),
  MaxSuspectQueue: count(
    256,
    1,
    65_535,
    'How many suspects wait for the keyword check. More are counted as suspects_refused, and offered again with the next request of their kind.',
  ),
  KeywordCheckTimeout: seconds(
    5,
    hourSeconds,
    'How long the keyword check of one suspect may take. Then its worker counts as hung, is replaced, and the suspect is counted as suspects_lost.',
  ),
};

const egressLimits = {
  MaxEgressConnections: count(
    10_000,
    1,
    65_535,
    'How many connections servers have to the egress gateway at once. More are closed at once and counted as egress_connections_refused.',
  ),
  MaxEgressSourceConnections: count(
    1_500,
    1,
    65_535,
    'How many of them one server has, so that an infected one leaves some to its neighbours. More than delay_queue_size, or the queue never fills.',
  ),
  MaxEgressSources: count(
    1_000,
    1,
    65_535,
    'For how many servers the gateway keeps a throttle. When there is one more, the one that was silent longest is forgotten; if all of them have requests waiting or are blocked, the new one is answered 503.',
  ),
  MaxEgressLogLines: count(
    20,
    0,
    100_000,
    'How many refused requests of one server have a line in PROXY.LOG in a second; of all servers together, ten times as many. The others are counted as egress_unlogged, and a line every ten seconds tells how many they were.',
  ),
  EgressIdleTimeout: seconds(
    300,
    daySeconds,
    'How long a tunnel of the gateway may carry nothing in either direction. Then it is closed.',
  ),
  MaxDynamicOrigins: count(
    1_000,
    1,
    1_000_000,
    'With Origin=dynamic: how many hosts connections are kept to; those that were used longest ago make room. Also of how many names the addresses are remembered, here and by the egress gateway; those that were looked up longest ago make room.',
  ),
  NameLifetime: seconds(
    30,
    daySeconds,
    'How long the addresses of a host name are remembered before it is looked up again.',
  ),
  MaxNameLookups: count(
    64,
    1,
    1_024,
    'How many host names are looked up at once; for one server behind the gateway a quarter of them, so that an infected one leaves some to its neighbours. More requests are answered 503.',
  ),
  NameTimeout: seconds(
    5,
    hourSeconds,
    'How long a look-up of a host name may take. Then the request is answered 504.',
  ),
};

/** `[Limits]`. */
export const limitsSection = defineSection({
  name: 'Limits',
  help: 'A bound for every queue, table, line and wait, so that no client and no origin can use up the machine. Whatever is refused because of one is counted.',
  rows: {
    ...requestLimits,
    ...timeouts,
    ...connectionLimits,
    ...tlsLimits,
    ...operatorLimits,
    ...learningLimits,
    ...egressLimits,
  },
});
