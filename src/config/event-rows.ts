/**
 * The rows of `[Events]`: what is told to programs, as lines of JSON in a file and as POSTs to a webhook.
 * What several of the keys have to agree on is in event-settings.ts.
 */
import { defineSection, type Row } from './table.ts';
import {
  accept,
  choice,
  integer,
  listOf,
  logFileName,
  refuse,
  token,
  type ValueType,
} from './value.ts';

/** What can be told; log/events.ts says what each has to tell. */
export const eventKinds = [
  'blocked',
  'suspect',
  'learned',
  'proposed',
  'throttle',
  'origin',
  'fleet',
] as const;

export type EventKind = (typeof eventKinds)[number];

/** A URL may be a secret as a whole: what is wrong with it is told without quoting it. */
const webhookUrl: ValueType<string> = {
  description: 'http:// or https:// URL, or empty',
  parse(written) {
    const text = /^"(.*)"$/.exec(written)?.[1] ?? written;
    if (text === '') return accept('');
    if (!/^https?:\/\/[\x21-\x7e]+$/i.test(text) || !URL.canParse(text)) {
      return refuse('it is not a URL that begins with http:// or https://');
    }
    const { username, password, hash } = new URL(text);
    if (username !== '' || password !== '') {
      return refuse('it has a user name or a password; WebhookToken is the place for a secret');
    }
    return hash === '' ? accept(text) : refuse('it has a #, which is not sent');
  },
};

const eventFileName: ValueType<string> = {
  description: `${logFileName.description}, or empty`,
  parse: (text) => (text === '' ? accept('') : logFileName.parse(text)),
};

function count(
  options: { min: number; max: number; default: number },
  help: string,
  unit = '',
): Row<number> {
  return { type: integer(options, unit), default: String(options.default), live: true, help };
}

/** `[Events]`. */
export const eventsSection = defineSection({
  name: 'Events',
  help: 'What happens, told to programs: as lines of JSON in a file, and as POSTs to a webhook. docs/events.md shows every field. A receiver that is slow or down delays no request.',
  rows: {
    EventLog: {
      type: eventFileName,
      default: '',
      defaultNote: 'empty: none',
      example: 'events.jsonl',
      live: true,
      help: 'The file of the events, one JSON object a line. It must not be the file of another log. After SIGHUP it is opened anew.',
    },
    EventKinds: {
      type: listOf(choice(...eventKinds), `comma list of ${eventKinds.join(', ')}`),
      default: eventKinds.join(', '),
      live: true,
      help: 'Which events are made. blocked: a request was slipped or dropped. suspect: a request became suspect. learned and proposed: what Auto Update made of one. throttle: what SNMP traps tell of the virus throttle. origin: an origin is down, or back. fleet: so is the engine of the fleet.',
    },
    EventsPerSecond: count(
      { min: 1, max: 100_000, default: 100 },
      'How many events of one kind are made in a second. The others are counted as events_omitted, and one event says how many they were.',
    ),
    Webhook: {
      type: webhookUrl,
      default: '',
      defaultNote: 'empty: none',
      example: 'https://events.example.com/wormgate',
      live: true,
      help: 'Where events are POSTed to, as a JSON array. Certificates are verified. Redirects are not followed.',
    },
    WebhookToken: {
      type: token,
      default: '',
      defaultNote: 'empty: none',
      example: 'a-long-random-word',
      live: true,
      help: 'The secret that is sent with each POST, as `Authorization: Bearer TOKEN`. Anyone who can read this file can read it.',
    },
    WebhookTimeout: count(
      { min: 1, max: 3600, default: 5 },
      'How long a POST may take, from the look-up of the name to the end of the answer.',
      'seconds',
    ),
    WebhookRetries: count(
      { min: 0, max: 1000, default: 8 },
      'How often a POST is tried again that found nobody, or was answered 429 or 5xx. The first retry comes after about a second, each further one after twice the time, up to a minute; Retry-After can make it five. Then its events are lost, and counted as webhook_events_lost.',
    ),
    MaxWebhookQueue: count(
      { min: 1, max: 100_000, default: 10_000 },
      'How many events wait for the webhook. Beyond it the oldest are lost, and counted as webhook_events_lost. An event is seldom more than 500 bytes, and 8 KiB at most.',
    ),
    WebhookBatch: count(
      { min: 1, max: 1000, default: 100 },
      'How many events one POST holds at most.',
    ),
  },
});
