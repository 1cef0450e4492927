/**
 * The rows of `[Fleet]`: on how much of a machine wormgate works, and several machines that block alike, by way
 * of a Valkey or Redis server. What several of the keys have to agree on is in fleet-settings.ts.
 */
import { availableParallelism } from 'node:os';
import { countRow, defineSection } from './table.ts';
import {
  accept,
  integer,
  optionalFileName,
  passphrase,
  refuse,
  scalar,
  token,
  type ValueType,
} from './value.ts';

/** Where the engine is; a password in the URL would be printed, so none may be there. */
const engineUrl: ValueType<string> = scalar('redis:// or rediss:// URL, or empty', (text) => {
  if (text === '') return accept('');
  if (!/^rediss?:\/\/[\x21-\x7e]+$/i.test(text) || !URL.canParse(text)) {
    return refuse('it is not a URL that begins with redis:// or rediss://');
  }
  const { username, password, hostname, pathname, search, hash } = new URL(text);
  if (username !== '' || password !== '') {
    return refuse('it has a user name or a password; User and Password are the places for them');
  }
  if (hostname === '') return refuse('it names no host');
  if (search !== '' || hash !== '' || !/^(?:\/\d{0,5})?$/.test(pathname)) {
    return refuse('behind the host stands more than a port and the number of a database');
  }
  return accept(text);
});

const keyPrefix: ValueType<string> = scalar('1-64 letters, digits and any of . _ : -', (text) =>
  /^[A-Za-z0-9._:-]{1,64}$/.test(text)
    ? accept(text)
    : refuse('it is not 1-64 letters, digits and any of . _ : -'),
);

const nodeName: ValueType<string> = scalar(
  '1-63 letters, digits and any of . _ -, or empty',
  (text) =>
    /^[A-Za-z0-9._-]{0,63}$/.test(text)
      ? accept(text)
      : refuse('it is not 1-63 letters, digits and any of . _ -'),
);

/** The most worker processes; also the largest number that may be written. */
export const workersMax = 256;

const number = integer({ min: 1, max: workersMax });

const workers: ValueType<number> = scalar(`auto or ${number.description}`, (text) =>
  text.toLowerCase() === 'auto'
    ? accept(Math.min(availableParallelism(), workersMax))
    : number.parse(text),
);

/** `[Fleet]`. */
export const fleetSection = defineSection({
  name: 'Fleet',
  help: 'On how many processors of the machine wormgate works; and several machines that share what the console and Auto Update decide, by way of a Valkey or Redis server of version 7 or newer. docs/scale.md tells how. PatternSize and PatternStartOffset have to be the same on all. A server that is slow or down delays no request.',
  rows: {
    Workers: {
      type: workers,
      default: '1',
      example: 'auto',
      live: false,
      help: 'How many processes serve requests; auto is one for each processor. 1 is a single process. With more of them a further process, the primary, accepts connections, hands them to the workers in turn, and keeps everything else: patterns, journal, logs, throttle, console. Bounds such as MaxConnections, MaxOriginConnections and MaxCacheSize are divided among the workers (docs/scale.md).',
    },
    WorkerTimeout: {
      type: integer({ min: 1, max: 300 }, 'seconds'),
      default: '10',
      live: true,
      help: 'A worker that does not answer the primary for so long is killed, and another takes its place. A console command waits no longer for its workers.',
    },
    Url: {
      type: engineUrl,
      default: '',
      defaultNote: 'empty: no fleet',
      example: 'rediss://valkey.example.com:6379',
      live: true,
      help: 'The server by which the machines share. rediss:// is TLS; its certificate is verified. A number behind the port is that of a database.',
    },
    User: {
      type: token,
      default: '',
      defaultNote: 'empty: the default user',
      live: true,
      help: 'The user of the access control list there.',
    },
    Password: {
      type: passphrase,
      default: '',
      defaultNote: 'empty: none',
      example: 'a-long-random-word',
      live: true,
      help: 'The password. Anyone who can read this file can read it.',
    },
    CA: {
      type: optionalFileName,
      default: '',
      defaultNote: "empty: the system's",
      example: 'valkey-ca.pem',
      live: true,
      help: 'The certificates of the authorities that may have signed that of the server, as PEM, for rediss://.',
    },
    KeyPrefix: {
      type: keyPrefix,
      default: 'wormgate',
      live: true,
      help: 'What the names of all keys there begin with. Machines with different prefixes are different fleets.',
    },
    NodeName: {
      type: nodeName,
      default: '',
      defaultNote: "empty: the machine's host name",
      example: 'proxy-1',
      live: true,
      help: 'What this machine is called in `virus fleet`, and in where a pattern came from.',
    },
    MaxOutbox: countRow(
      { min: 1, max: 1_000_000, default: 100_000 },
      'How many commands wait for the server while it is away. Beyond it console commands are refused, because none that was answered is lost; counted as fleet_commands_refused.',
    ),
    MaxTallies: countRow(
      { min: 0, max: 10_000, default: 500 },
      'How many windows that come often are counted together with the other machines at a time, so that a worm that is spread thinly over all is seen. 0 turns it off. The others are counted as fleet_windows_omitted.',
    ),
    SnapshotEvery: countRow(
      { min: 100, max: 1_000_000, default: 20_000 },
      'After so many commands one machine writes a snapshot, and the commands before the previous one are taken away.',
    ),
    EngineTimeout: countRow(
      { min: 1, max: 300, default: 5 },
      'How long the server may take for an answer, or for the connection. Then it counts as lost, and is tried again after a second, and up to every ten.',
      'seconds',
    ),
  },
});
