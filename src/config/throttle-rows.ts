/**
 * The rows of `[Virus Throttle]`, with the names, defaults and ranges of the paper's hp-vt.conf
 * ("Configurable parameters"), and of `[Egress]`, whose connections the throttle slows.
 */
import { network, optionalListenAddress } from './endpoint.ts';
import { defineSection } from './table.ts';
import { parameterRanges } from './throttle-parameters.ts';
import { choice, flag, integer, listOf, optionalFileName, portRange, token } from './value.ts';

const {
  host_working_set_size: workingSetSize,
  delay_queue_delay_seconds: delaySeconds,
  delay_queue_size: queueSize,
  delay_queue_high_watermark: highWaterMark,
  delay_queue_low_watermark: lowWaterMark,
} = parameterRanges;

/** `[Virus Throttle]`. */
export const throttleSection = defineSection({
  name: 'Virus Throttle',
  help: 'How fast a source may connect to hosts that are new to it: through the egress gateway, and to origins that are not named in this file. Hosts that it knows are never delayed.',
  rows: {
    Enable: {
      type: flag,
      default: '1',
      live: true,
      help: 'Whether connections to new hosts are delayed at all. At 0 all of them pass at once and nothing is counted.',
    },
    host_working_set_size: {
      type: integer(workingSetSize, 'hosts'),
      default: String(workingSetSize.default),
      live: true,
      help: 'How many hosts a source knows: connections to them pass without delay. A new one takes the place of the oldest.',
    },
    delay_queue_delay_seconds: {
      type: integer(delaySeconds, 'seconds'),
      default: String(delaySeconds.default),
      live: true,
      help: 'How long after one new host the next one may be connected to. All requests that wait for a host go together.',
    },
    delay_queue_size: {
      type: integer(queueSize, 'requests'),
      default: String(queueSize.default),
      live: true,
      help: 'How many connection requests of a source wait. Further ones are refused, and DROPPING_CONNECTIONS is logged.',
    },
    delay_queue_high_watermark: {
      type: integer(highWaterMark, 'requests'),
      default: String(highWaterMark.default),
      live: true,
      help: 'At so many waiting requests the source shows virus-like activity: ALERT_VLA_DETECTED. At most delay_queue_size.',
    },
    delay_queue_low_watermark: {
      type: integer(lowWaterMark, 'requests'),
      default: String(lowWaterMark.default),
      live: true,
      help: 'Below so many it is over: ALERT_VLA_STOPPED. At most delay_queue_high_watermark less 4.',
    },
    ConfigFile: {
      type: optionalFileName,
      default: '',
      defaultNote: 'empty: the values stand here',
      example: '/etc/opt/hp/hp-vt/hp-vt.conf',
      live: true,
      help: 'An existing hp-vt.conf, which is read as it is, in place of the five values above. What is out of range in it is an [ERROR] line in the ThrottleLog, and the default is used. A relative name starts from the folder of this file.',
    },
    OnVirusLikeActivity: {
      type: choice('log', 'block'),
      default: 'log',
      live: true,
      help: 'What happens when virus-like activity is detected. log: it is logged, and the delay goes on. block: what waits is refused, and for BlockSeconds every new host of that source is; ALERT_VLA_STOPPED follows then.',
    },
    BlockSeconds: {
      type: integer({ min: 0, max: 86_400 }, 'seconds'),
      default: '60',
      live: true,
      help: 'With OnVirusLikeActivity=block: how long new hosts are refused.',
    },
  },
});

/** `[Egress]`. */
export const egressSection = defineSection({
  name: 'Egress',
  help: 'An HTTP proxy for the servers behind us, with a virus throttle for each of them: CONNECT, and http:// URLs. Set it as http_proxy and https_proxy there.',
  rows: {
    Listen: {
      type: optionalListenAddress,
      default: '',
      defaultNote: 'empty: off',
      example: '10.0.0.1:3128',
      live: true,
      help: 'Where the gateway listens; empty turns it off.',
    },
    Allow: {
      type: listOf(network, 'comma list of CIDRs'),
      default: '127.0.0.0/8',
      example: '10.0.0.0/8',
      live: true,
      help: 'The servers that may use it. Others are answered 403.',
    },
    AllowPorts: {
      type: listOf(portRange, 'comma list of ports and ranges'),
      default: '80, 443',
      example: '80, 443, 8000-8999',
      live: true,
      help: 'The ports that connections are made to. Others are answered 403.',
    },
    AllowPrivate: {
      type: flag,
      default: '0',
      live: true,
      help: 'Whether connections are made to private, loopback and link-local addresses and to what clouds answer metadata on. Looked at after a name is resolved, so that no name leads there either.',
    },
    Credentials: {
      type: token,
      default: '',
      defaultNote: 'empty: nobody is asked',
      example: 'user:a-long-random-word',
      live: true,
      help: 'User and password, joined by a colon, that a server must present (Proxy-Authorization: Basic). Anyone who can read this file can read it.',
    },
  },
});
