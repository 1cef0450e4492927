/**
 * The rows of `[Tracing]`: where spans are sent, of which requests, and how many wait. What several of the
 * keys have to agree on is in tracing-settings.ts.
 */
import { shown } from './fault.ts';
import { receiverUrl } from './receiver-url.ts';
import { countRow, defineSection } from './table.ts';
import { accept, plainText, refuse, scalar, type ValueType } from './value.ts';

/** A header line of each POST. */
export type ExportHeader = readonly [name: string, value: string];

/** A part of a whole, as a decimal number. */
const ratio: ValueType<number> = scalar('number, 0-1', (text) =>
  /^(?:0|1|0?\.[0-9]{1,9}|1\.0{1,9})$/.test(text)
    ? accept(Number(text))
    : refuse(`${shown(text)} is not a number from 0 to 1, such as 0.01`),
);

const serviceName: ValueType<string> = scalar('text of 1-128 characters', (text) =>
  /^[\x20-\x7e]{1,128}$/.test(text)
    ? accept(text)
    : refuse(`${shown(text)} is not 1 to 128 characters of printable ASCII`),
);

/** What a POST says about itself, and what ends at one connection. */
const ownHeaders = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/** The value as a text; undefined: its escapes are wrong, or nothing printable remains. */
function unescapedValue(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text);
    return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** As OTEL_EXPORTER_OTLP_HEADERS has them; secrets: what is wrong with them is told without quoting it. */
const exportHeaders: ValueType<readonly ExportHeader[]> = {
  description: 'comma list of name=value',
  isSecret: true,
  parse(written) {
    const plain = plainText(written);
    if (!plain.ok) return refuse('its quotation marks or what stands within them are wrong');
    if (plain.value === '') return accept([]);
    const headers: ExportHeader[] = [];
    const names = new Set<string>();
    for (const [index, part] of plain.value.split(',').entries()) {
      const place = `part ${index + 1}`;
      const [, name, text] = /^ *([!#$%&'*+.^_`|~0-9A-Za-z-]+) *= *(.*?) *$/.exec(part) ?? [];
      if (name === undefined || text === undefined) return refuse(`${place} is not name=value`);
      const key = name.toLowerCase();
      if (ownHeaders.has(key)) return refuse(`${place} names a header that wormgate sets itself`);
      if (names.has(key)) return refuse(`${place} names a header a second time`);
      const value = unescapedValue(text);
      if (value === undefined) {
        return refuse(
          `${place} has a value that is not printable ASCII, or a % without two digits`,
        );
      }
      names.add(key);
      headers.push([name, value]);
    }
    return accept(headers);
  },
};

/** `[Tracing]`. */
export const tracingSection = defineSection({
  name: 'Tracing',
  help: 'Distributed tracing: spans of requests, sent to an OpenTelemetry collector. docs/tracing.md shows what a span holds. Without an Endpoint nothing is loaded for it, and the traceparent of clients is passed on as it came. A collector that is slow or down delays no request.',
  rows: {
    Endpoint: {
      type: receiverUrl('Headers'),
      default: '',
      defaultNote: 'empty: off',
      example: 'http://127.0.0.1:4318/v1/traces',
      live: true,
      help: 'Where spans are POSTed to, with its path, in OTLP over HTTP with protobuf. Certificates are verified. Redirects are not followed.',
    },
    Headers: {
      type: exportHeaders,
      default: '',
      defaultNote: 'empty: none',
      example: 'api-key=a-long-random-word, x-tenant=shop',
      live: true,
      help: 'Header lines of each POST, such as the key of a vendor, as in OTEL_EXPORTER_OTLP_HEADERS: a comma or another odd character within a value is written as %2C, and what holds blanks stands in quotation marks. Anyone who can read this file can read them.',
    },
    ServiceName: {
      type: serviceName,
      default: 'wormgate',
      live: true,
      help: 'What this service is called in the traces.',
    },
    SampleRatio: {
      type: ratio,
      default: '0.01',
      live: true,
      help: 'Which part of the requests without a valid traceparent, and of the slipped ones, has a span: 0 none, 1 all. Where there is a valid traceparent, its sampled flag decides.',
    },
    SpansPerSecond: countRow(
      { min: 1, max: 100_000, default: 1000 },
      'How many spans are made in a second, because a client can set the sampled flag in each of its requests. The others are counted as spans_omitted.',
    ),
    ExportTimeout: countRow(
      { min: 1, max: 3600, default: 10 },
      'How long a POST may take, from the look-up of the name to the end of the answer.',
      'seconds',
    ),
    ExportRetries: countRow(
      { min: 0, max: 1000, default: 4 },
      'How often a POST is tried again that found nobody, or was answered 429, 502, 503 or 504. The first retry comes after about a second, each further one after twice the time, up to a minute; Retry-After can make it five. Then its spans are lost, and counted as spans_lost.',
    ),
    MaxSpanQueue: countRow(
      { min: 1, max: 100_000, default: 10_000 },
      'How many spans wait for the collector. Beyond it the oldest are lost, and counted as spans_lost. A span is seldom more than 1 KiB, and 12 KiB at most.',
    ),
    SpanBatch: countRow(
      { min: 1, max: 2000, default: 512 },
      'How many spans one POST holds at most. A smaller one is sent a second after its first span.',
    ),
  },
});
