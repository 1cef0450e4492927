/**
 * The rows of `[SNMP]`: who is sent traps about virus-like activity, and who they come from. What several
 * of the keys have to agree on is in snmp-settings.ts.
 */
import { trapSink } from './endpoint.ts';
import { defineSection } from './table.ts';
import {
  accept,
  choice,
  listOf,
  passphrase,
  refuse,
  scalar,
  token,
  type ValueType,
} from './value.ts';

const userName: ValueType<string> = scalar('text without blanks, at most 32 characters', (text) =>
  /^[\x21-\x7e]{0,32}$/.test(text)
    ? accept(text)
    : refuse('only printable ASCII without blanks is allowed, at most 32 characters'),
);

/** RFC 3411, SnmpEngineID: neither all zeros nor all ones; a first bit of 0 means twelve octets. */
const engineId: ValueType<string | undefined> = scalar(
  '5 to 32 octets in hex, or empty',
  (text) => {
    if (text === '') return accept(undefined);
    const digits = text.replace(/^0x/i, '').toLowerCase();
    if (!/^(?:[0-9a-f]{2}){5,32}$/.test(digits)) {
      return refuse('it is not 5 to 32 octets with two hex digits each');
    }
    if (/^(?:0+|f+)$/.test(digits)) return refuse('all zeros or all ones is no engine');
    const isOfOldForm = Number.parseInt(digits.slice(0, 2), 16) < 0x80;
    return isOfOldForm && digits.length !== 24
      ? refuse('one that begins below 80 has 12 octets (RFC 3411)')
      : accept(digits);
  },
);

/** `[SNMP]`. */
export const snmpSection = defineSection({
  name: 'SNMP',
  help: 'Traps for the ALERT_VLA_DETECTED, ALERT_VLA_STOPPED and DROPPING_CONNECTIONS of the virus throttle, as docs/WORMGATE-MIB.txt defines them. A receiver that is down delays nothing.',
  rows: {
    TrapSinks: {
      type: listOf(trapSink, 'comma list of host:port, at most 8'),
      default: '',
      defaultNote: 'empty: off',
      example: '10.0.0.9, trap-receiver.example.com:1162',
      live: true,
      help: 'Who is sent each trap. Without a port it is 162. A host name is looked up when there is a trap, and the answer is kept for a minute.',
    },
    Version: {
      type: choice('v2c', 'v3'),
      default: 'v2c',
      live: true,
      help: 'The version of SNMP. v2c: with Community, which anybody on the way can read. v3: with a User and, as SecurityLevel says, with authentication and encryption.',
    },
    Community: {
      type: token,
      default: 'public',
      live: true,
      help: 'With v2c: the community of the traps. Anyone who can read this file can read it.',
    },
    User: {
      type: userName,
      default: '',
      defaultNote: 'none, v3 needs one',
      example: 'wormgate',
      live: true,
      help: 'With v3: the user that the traps come from, as the receiver knows it.',
    },
    SecurityLevel: {
      type: choice('noAuthNoPriv', 'authNoPriv', 'authPriv'),
      default: 'authPriv',
      live: true,
      help: 'With v3: what the traps have. noAuthNoPriv: nothing. authNoPriv: proof of who sent them, which needs AuthKey. authPriv: encryption as well, which needs PrivKey, too.',
    },
    AuthProtocol: {
      type: choice('sha', 'sha224', 'sha256', 'sha384', 'sha512'),
      default: 'sha256',
      live: true,
      help: 'With v3: the hash function of the authentication (RFC 3414 and 7860).',
    },
    AuthKey: {
      type: passphrase,
      default: '',
      defaultNote: 'none',
      example: '"a long random text"',
      live: true,
      help: 'With v3: the passphrase of the authentication, 8 characters or more. One with blanks stands in quotation marks. Anyone who can read this file can read it.',
    },
    PrivProtocol: {
      type: choice('aes', 'aes256b', 'aes256r'),
      default: 'aes',
      live: true,
      help: 'With v3: the encryption. aes is the AES of RFC 3826, with 128 bits. The two with 256 bits are in no RFC: receivers know aes256b as AES-256 or Blumenthal, and aes256r as AES-256-C or Reeder.',
    },
    PrivKey: {
      type: passphrase,
      default: '',
      defaultNote: 'none',
      example: '"another long random text"',
      live: true,
      help: 'With v3: the passphrase of the encryption, 8 characters or more. One with blanks stands in quotation marks. Anyone who can read this file can read it.',
    },
    EngineId: {
      type: engineId,
      default: '',
      defaultNote: 'empty: derived from the name of the machine and the data folder',
      example: '80007ed9054a9d3c55e1',
      live: true,
      help: 'With v3: the engine id that the receiver knows the user by. The ThrottleLog has the one in use. Set it where the name of the machine changes, as in containers.',
    },
  },
});
