/**
 * Alerts of the virus throttle as SNMP traps, in bytes, with the names of docs/WORMGATE-MIB.txt. The only
 * file that imports net-snmp, and only when somebody wants traps. It sends nothing: traps.ts does.
 */
import { createHash } from 'node:crypto';
import type { Message, Session, User } from 'net-snmp';
import type { SnmpSender } from '../config/shape.ts';
import { formatThrottleDate, type ThrottleAlert } from './throttle-log.ts';

/** IANA's enterprise number for examples (RFC 5612): wormgate has none of its own. */
const enterprise = 32_473;
const mib = `1.3.6.1.4.1.${enterprise}.1`;

/** The notifications of the MIB. */
export const trapOids: Readonly<Record<ThrottleAlert['event'], string>> = {
  detected: `${mib}.0.1`,
  stopped: `${mib}.0.2`,
  dropping: `${mib}.0.3`,
};

/** What the notifications tell. */
export const objectOids = {
  sourceAddress: `${mib}.1.1.0`,
  waiting: `${mib}.1.2.0`,
  dropped: `${mib}.1.3.0`,
  time: `${mib}.1.4.0`,
  instance: `${mib}.1.5.0`,
} as const;

/** Which wormgate the traps are from. */
export interface TrapOrigin {
  /** What the receiver is told: the machine and the data folder. */
  readonly instance: string;
  /** When this process began, in milliseconds since the epoch. */
  readonly startMs: number;
}

/** Makes one alert into bytes; `upMs` is how long this process has been running. */
export type MakeTrap = (alert: ThrottleAlert, upMs: number) => Buffer;

const wrap = 2 ** 32;
const integerMax = 2 ** 31 - 1;
/** 2020-01-01, in seconds since the epoch. */
const bootsEpoch = 1_577_836_800;

/**
 * An engine id that stays the same from start to start: the format for octets of one's own choice
 * (RFC 3411, SnmpEngineID), with a hash of the machine and the data folder.
 */
export function deriveEngineId(instance: string): string {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(2 ** 31 + enterprise);
  prefix.writeUInt8(5, 4);
  const hash = createHash('sha256').update(instance).digest().subarray(0, 12);
  return Buffer.concat([prefix, hash]).toString('hex');
}

/** A DisplayString: printable ASCII, at most 255 characters. */
function display(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 255);
}

/**
 * snmpEngineBoots has to grow with every start. Without a file to count in it is the time of the start,
 * in seconds: that grows as well, and lasts until 2088.
 */
function engineBoots({ startMs }: TrapOrigin): number {
  const seconds = Math.floor(startMs / 1_000) - bootsEpoch;
  return Math.min(Math.max(seconds, 1), integerMax - 1);
}

type Library = typeof import('net-snmp')['default'];

/** net-snmp wants a socket for each session. This one does nothing. */
const noSocket = { on() {}, unref() {}, ref() {}, close() {} };
const dgramModule = { createSocket: () => noSocket };

function userOf(snmp: Library, sender: SnmpSender & { readonly version: 'v3' }): User {
  const { user: name, auth, priv } = sender;
  if (auth === undefined) return { name, level: snmp.SecurityLevel.noAuthNoPriv };
  const own = { name, authProtocol: snmp.AuthProtocols[auth.protocol], authKey: auth.key };
  if (priv === undefined) return { ...own, level: snmp.SecurityLevel.authNoPriv };
  const privProtocol = snmp.PrivProtocols[priv.protocol];
  return { ...own, level: snmp.SecurityLevel.authPriv, privProtocol, privKey: priv.key };
}

function openSession(snmp: Library, sender: SnmpSender, { instance }: TrapOrigin): Session {
  if (sender.version === 'v2c') {
    return new snmp.Session('', sender.community, { version: snmp.Version2c, dgramModule });
  }
  const engineID = Buffer.from(sender.engineId ?? deriveEngineId(instance), 'hex');
  const options = { version: snmp.Version3, engineID, dgramModule };
  return new snmp.Session('', userOf(snmp, sender), options);
}

/** Loads the library; rejects when it cannot be had. */
export async function loadTrapMaker(sender: SnmpSender, origin: TrapOrigin): Promise<MakeTrap> {
  const { default: snmp } = await import('net-snmp');
  const session = openSession(snmp, sender, origin);
  let made: Message | undefined;
  session.send = ({ message }) => {
    made = message;
    return session;
  };
  const { OctetString, Gauge, Counter } = snmp.ObjectType;
  return ({ event, source, waiting, dropped, atMs }, upMs) => {
    const time = formatThrottleDate(atMs);
    const varbinds = [
      { oid: objectOids.sourceAddress, type: OctetString, value: display(source) },
      { oid: objectOids.waiting, type: Gauge, value: Math.min(waiting, wrap - 1) },
      { oid: objectOids.dropped, type: Counter, value: dropped % wrap },
      { oid: objectOids.time, type: OctetString, value: display(time) },
      { oid: objectOids.instance, type: OctetString, value: display(origin.instance) },
    ];
    // The library takes 0 for none given, and its own number is too large after 497 days.
    const upTime = Math.floor(upMs / 10) % wrap || 1;
    session.trap(trapOids[event], varbinds, { upTime }, () => {});
    if (made === undefined) throw new Error('net-snmp made no message');
    const security = made.msgSecurityParameters;
    if (security !== undefined) {
      // The library puts zeros there. A receiver may refuse them after 150 seconds (RFC 3414 §3.2, step
      // 7b), and whoever has seen such a trap can send it again at any time.
      security.msgAuthoritativeEngineBoots = engineBoots(origin);
      security.msgAuthoritativeEngineTime = Math.floor(upMs / 1_000) % integerMax;
    }
    return made.toBuffer();
  };
}
