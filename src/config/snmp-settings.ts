/**
 * The checks of `[SNMP]` that need several keys: what each version and each security level needs, and
 * what has no meaning with it. A key that would have no effect is a fault, because whoever wrote it
 * relies on it. Secrets are never part of a message.
 */
import { formatHostPort } from './endpoint.ts';
import type { SectionReader } from './section-reader.ts';
import type { HostPort, SnmpSender, SnmpSettings } from './shape.ts';
import type { snmpSection } from './snmp-rows.ts';
import type { SectionTable } from './table.ts';

type ValuesOf<S> = S extends SectionTable<infer V> ? V : never;
type SnmpValues = ValuesOf<typeof snmpSection>;
type SnmpReader = SectionReader<SnmpValues>;
type SnmpKey = keyof SnmpValues & string;

const sinksMax = 8;
/** RFC 3414 §11.2. */
const keyLengthMin = 8;

const authKeys = ['AuthProtocol', 'AuthKey'] as const;
const privKeys = ['PrivProtocol', 'PrivKey'] as const;
const v3Keys = ['User', 'SecurityLevel', ...authKeys, ...privKeys, 'EngineId'] as const;

/** The values, each read once, because reading reports what is wrong with it. */
class Checks {
  readonly #reader: SnmpReader;
  readonly #values: SnmpValues;

  constructor(reader: SnmpReader) {
    this.#reader = reader;
    this.#values = {
      TrapSinks: reader.get('TrapSinks'),
      Version: reader.get('Version'),
      Community: reader.get('Community'),
      User: reader.get('User'),
      SecurityLevel: reader.get('SecurityLevel'),
      AuthProtocol: reader.get('AuthProtocol'),
      AuthKey: reader.get('AuthKey'),
      PrivProtocol: reader.get('PrivProtocol'),
      PrivKey: reader.get('PrivKey'),
      EngineId: reader.get('EngineId'),
    };
  }

  sinks(): readonly HostPort[] {
    const { TrapSinks: sinks } = this.#values;
    const names = sinks.map(formatHostPort);
    for (const twice of new Set(names.filter((name, index) => names.indexOf(name) < index))) {
      this.#report('TrapSinks', `${twice} stands twice`);
    }
    if (sinks.length > sinksMax) {
      this.#report('TrapSinks', `there are ${sinks.length}; at most ${sinksMax} are allowed`);
    }
    return sinks;
  }

  sender(): SnmpSender {
    const { Version: version, Community: community } = this.#values;
    if (version === 'v3') return this.#v3();
    // Of a version that could not be read nothing is known.
    if (!this.#reader.isBad('Version')) {
      this.#require('Community', 'Version=v2c');
      this.#reportIdle(v3Keys, 'Version=v2c');
    }
    return { version: 'v2c', community };
  }

  #v3(): SnmpSender {
    const { User: user, SecurityLevel: level, EngineId: engineId, ...others } = this.#values;
    this.#reportIdle(['Community'], 'Version=v3');
    this.#require('User', 'Version=v3');
    const reason = `SecurityLevel=${level}`;
    const hasAuth = level !== 'noAuthNoPriv';
    const hasPriv = level === 'authPriv';
    if (!this.#reader.isBad('SecurityLevel')) {
      if (hasAuth) this.#requireKey('AuthKey', reason);
      else this.#reportIdle(authKeys, reason);
      if (hasPriv) this.#requireKey('PrivKey', reason);
      else this.#reportIdle(privKeys, reason);
    }
    return {
      version: 'v3',
      user,
      auth: hasAuth ? { protocol: others.AuthProtocol, key: others.AuthKey } : undefined,
      priv: hasPriv ? { protocol: others.PrivProtocol, key: others.PrivKey } : undefined,
      engineId,
    };
  }

  #report(key: SnmpKey, message: string): void {
    this.#reader.report(this.#reader.lineOf(key), key, message);
  }

  #require(key: 'Community' | 'User' | 'AuthKey' | 'PrivKey', reason: string): void {
    if (this.#values[key] !== '' || this.#reader.isBad(key)) return;
    this.#report(key, `it is required with ${reason}`);
  }

  #requireKey(key: 'AuthKey' | 'PrivKey', reason: string): void {
    this.#require(key, reason);
    const { length } = this.#values[key];
    if (length === 0 || length >= keyLengthMin) return;
    const count = length === 1 ? '1 character' : `${length} characters`;
    this.#report(key, `it has ${count}; at least ${keyLengthMin} are needed`);
  }

  /** Reports those of `keys` that the file gives a value. */
  #reportIdle(keys: readonly SnmpKey[], reason: string): void {
    for (const key of keys) {
      const isEmpty = this.#values[key] === '' || this.#values[key] === undefined;
      if (!this.#reader.has(key) || this.#reader.isBad(key) || isEmpty) continue;
      this.#report(key, `it has no effect with ${reason}`);
    }
  }
}

/** The settings of `[SNMP]`. */
export function readSnmpSettings(reader: SnmpReader): SnmpSettings {
  const checks = new Checks(reader);
  return { sinks: checks.sinks(), sender: checks.sender() };
}
