/**
 * The rows of `[Accelerator NAME]` about its origins: who gets a request, when an origin is left out,
 * health checks, TLS to origins, and their names.
 */
import { headerHost, httpPath, serverName, statusRange } from './endpoint.ts';
import type { Row } from './table.ts';
import { choice, flag, integer, listOf, optionalFileName } from './value.ts';

function number(
  range: { readonly min: number; readonly max: number; readonly unit?: string },
  fallback: number,
  help: string,
): Row<number> {
  const { min, max, unit = '' } = range;
  return { type: integer({ min, max }, unit), default: String(fallback), live: true, help };
}

function seconds(fallback: number, min: number, help: string): Row<number> {
  return number({ min, max: 3600, unit: 'seconds' }, fallback, help);
}

const balancing = {
  Balance: {
    type: choice('roundrobin', 'leastconn'),
    default: 'roundrobin',
    live: true,
    help: 'Which of several origins gets a request. roundrobin: they take turns. leastconn: the one with the fewest requests and upgraded connections. Both follow the weights in Origin.',
  } satisfies Row<'roundrobin' | 'leastconn'>,
  MaxFails: number(
    { min: 0, max: 1000 },
    3,
    'So many failures of an origin in a row, without a whole answer between them, and it is left out for FailTimeout. 0: never. Failures are: no connection, no answer within OriginTimeout, a connection closed before its answer or within it, and answers that are not HTTP.',
  ),
  FailTimeout: seconds(
    10,
    1,
    'How long an origin is left out after MaxFails failures. Then, when its turn comes with a tenth of its weight, it is given one request, and is back when it answers it; if it fails again, it is left out for as long again.',
  ),
  FailOn5xx: {
    type: flag,
    default: '0',
    live: true,
    help: 'Whether an answer with status 500 to 599 counts as a failure. The client receives that answer all the same.',
  } satisfies Row<boolean>,
  SlowStart: seconds(
    0,
    0,
    'For so long the share of an origin that is back grows from a tenth of its weight to the whole, so that it is not overrun while its caches are cold. 0: at once.',
  ),
};

const checks = {
  HealthPath: {
    type: httpPath,
    default: '',
    defaultNote: 'empty: no checks',
    example: '/healthz',
    live: true,
    help: 'The path that each origin is asked for now and then, to find out whether it works. An origin that fails HealthFall checks in a row is left out until it passes HealthRise checks in a row.',
  } satisfies Row<string>,
  HealthInterval: seconds(5, 1, 'How long after the end of one check the next begins.'),
  HealthTimeout: seconds(
    2,
    1,
    'How long a check may take, from connecting to the head of the answer.',
  ),
  HealthHost: {
    type: headerHost,
    default: '',
    defaultNote: 'empty: as in Origin',
    example: 'www.example.com',
    live: true,
    help: 'The Host header of checks.',
  } satisfies Row<string>,
  HealthStatus: {
    type: listOf(statusRange, 'comma list of statuses and ranges of them'),
    default: '200-399',
    live: true,
    help: 'The statuses that pass a check.',
  } satisfies Row<readonly (readonly [number, number])[]>,
  HealthRise: number(
    { min: 1, max: 100 },
    2,
    'So many passed checks in a row bring an origin back.',
  ),
  HealthFall: number({ min: 1, max: 100 }, 3, 'So many failed checks in a row take an origin out.'),
};

const tls = {
  OriginVerify: {
    type: flag,
    default: '1',
    live: true,
    help: 'Whether the certificate of an https origin must be valid, signed by a known authority, and made out to its name. At 0 whoever stands between wormgate and the origin can read and change everything, and a warning is printed at the start and at each reload.',
  } satisfies Row<boolean>,
  OriginCA: {
    type: optionalFileName,
    default: '',
    defaultNote: 'empty: those that Node.js knows',
    example: '/etc/wormgate/origin-ca.pem',
    live: true,
    help: 'A PEM file with the authorities that sign the certificates of https origins, instead of the public ones. Relative names start from the folder of this file. Read at the start and at each reload.',
  } satisfies Row<string | undefined>,
  OriginServerName: {
    type: serverName,
    default: '',
    defaultNote: 'empty: the host in Origin',
    example: 'www.example.com',
    live: true,
    help: 'The name that https origins are asked for in the TLS handshake, and that their certificates have to be made out to.',
  } satisfies Row<string>,
  OriginCertificate: {
    type: optionalFileName,
    default: '',
    defaultNote: 'empty: none',
    example: '/etc/wormgate/client.pem',
    live: true,
    help: 'A PEM file with the certificate that wormgate shows to https origins which ask for one.',
  } satisfies Row<string | undefined>,
  OriginKey: {
    type: optionalFileName,
    default: '',
    defaultNote: 'empty: in the file of OriginCertificate',
    example: '/etc/wormgate/client.key',
    live: true,
    help: 'A PEM file with the private key of OriginCertificate, without a passphrase.',
  } satisfies Row<string | undefined>,
};

/** The rows of an accelerator's origins, beside Origin itself. */
export const originRows = {
  ...balancing,
  ...checks,
  ...tls,
  OriginResolve: number(
    { min: 1, max: 86_400, unit: 'seconds' },
    30,
    'How often the host names in Origin are looked up again. New connections go to the new addresses, and idle ones to an address that a name no longer has are closed. While no name server answers, the last known addresses stay.',
  ),
};
