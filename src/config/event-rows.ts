/**
 * The rows of `[Events]`: what is told to programs, as lines of JSON in a file and as POSTs to a webhook.
 * What several of the keys have to agree on is in event-settings.ts.
 */
import { receiverUrl } from './receiver-url.ts';
import { countRow, defineSection } from './table.ts';
import { accept, choice, listOf, logFileName, token, type ValueType } from './value.ts';

/** What can be told; log/events.ts says what each has to tell. */
export const eventKinds = [
  'blocked',
  'suspect',
  'learned',
  'proposed',
  'throttle',
  'origin',
  'source',
  'fleet',
] as const;

export type EventKind = (typeof eventKinds)[number];

const eventFileName: ValueType<string> = {
  description: `${logFileName.description}, or empty`,
  parse: (text) => (text === '' ? accept('') : logFileName.parse(text)),
};

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
      help: 'Which events are made. blocked: a request was slipped or dropped. suspect: a request became suspect. learned and proposed: what Auto Update made of one. throttle: what SNMP traps tell of the virus throttle. origin: an origin is down, or back. source: a source of virus requests or misses is blocked. fleet: the engine of the fleet is down, or back.',
    },
    EventsPerSecond: countRow(
      { min: 1, max: 100_000, default: 100 },
      'How many events of one kind are made in a second. The others are counted as events_omitted, and one event says how many they were.',
    ),
    Webhook: {
      type: receiverUrl('WebhookToken'),
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
    WebhookTimeout: countRow(
      { min: 1, max: 3600, default: 5 },
      'How long a POST may take, from the look-up of the name to the end of the answer.',
      'seconds',
    ),
    WebhookRetries: countRow(
      { min: 0, max: 1000, default: 8 },
      'How often a POST is tried again that found nobody, or was answered 429 or 5xx. The first retry comes after about a second, each further one after twice the time, up to a minute; Retry-After can make it five. Then its events are lost, and counted as webhook_events_lost.',
    ),
    MaxWebhookQueue: countRow(
      { min: 1, max: 100_000, default: 10_000 },
      'How many events wait for the webhook. Beyond it the oldest are lost, and counted as webhook_events_lost. An event is seldom more than 500 bytes, and 8 KiB at most.',
    ),
    WebhookBatch: countRow(
      { min: 1, max: 1000, default: 100 },
      'How many events one POST holds at most.',
    ),
  },
});
