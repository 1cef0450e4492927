/**
 * What happened on one lane, as lines of text that must be equal on the other: what the client heard,
 * what the origin received, what the log says. Left out is only what may differ: request ids, the
 * time, a Date of wormgate's own making, where chunks end, and the port of the lane's own origin.
 */
import { createHash } from 'node:crypto';
import { type LaneCall, originDate } from './lane-origin.ts';

const ownId = /[0-9a-f]{10}-[0-9a-z]+/;
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const wholeBodyMax = 2000;

/** Text on one line: what is not printable ASCII as `\r`, `\n` or `\xHH`. */
export function escaped(text: string): string {
  return text.replace(/[^ -[\]-~]/g, (char) => {
    if (char === '\r') return '\\r';
    if (char === '\n') return '\\n';
    if (char === '\\') return '\\\\';
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function bodyLine(name: string, body: string): string {
  if (body.length <= wholeBodyMax) return `${name}: ${escaped(body)}`;
  const digest = createHash('sha256').update(body, 'latin1').digest('hex');
  return `${name}: ${body.length} bytes, ${digest}`;
}

export interface Heard {
  readonly lines: readonly string[];
  /** Answers whose head is there, interim ones not counted. */
  readonly headCount: number;
  /** Those of them that are complete. */
  readonly answerCount: number;
}

/** Takes everything a client received apart, latin1; `closed`: nothing more will come. */
export function hear(text: string, closed: boolean): Heard {
  const lines: string[] = [];
  let headCount = 0;
  let answerCount = 0;
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd < 0 || !text.startsWith('HTTP/1.', at)) {
      lines.push(`no head: ${escaped(text.slice(at))}`);
      break;
    }
    const head = new AnswerHead(text.slice(at, headEnd));
    lines.push(...head.lines());
    at = headEnd + 4;
    const { status } = head;
    if (status >= 100 && status < 200 && status !== 101) continue;
    headCount += 1;
    const body = readBody(text, at, head, closed);
    if (body.line !== undefined) lines.push(head.withoutId(body.line));
    lines.push(...body.trailers);
    if (body.isComplete) answerCount += 1;
    at = body.end;
  }
  return { lines, headCount, answerCount };
}

class AnswerHead {
  readonly status: number;
  readonly #lines: readonly string[];
  readonly #id: string | undefined;

  constructor(text: string) {
    this.#lines = text.split('\r\n');
    this.status = Number(/^HTTP\/1\.\d (\d{3})/.exec(text)?.[1] ?? 0);
    const id = this.value('x-request-id');
    this.#id = id !== undefined && new RegExp(`^${ownId.source}$`).test(id) ? id : undefined;
  }

  value(name: string): string | undefined {
    const start = `${name}:`;
    const line = this.#lines.find((each) => each.toLowerCase().startsWith(start));
    return line?.slice(start.length).trim();
  }

  withoutId(line: string): string {
    return this.#id === undefined ? line : line.replaceAll(this.#id, '<id>');
  }

  /** For comparison: an id takes its length out of Content-Length. */
  lines(): string[] {
    return this.#lines.map((line) => {
      const [, name = '', value = ''] = /^([^:]*): (.*)$/s.exec(line) ?? [];
      const key = name.toLowerCase();
      if (key === 'date' && value !== originDate && httpDate.test(value)) return `${name}: <now>`;
      if (key === 'content-length' && this.#id !== undefined) {
        return `${name}: ${Number(value) - this.#id.length} and the id`;
      }
      return escaped(this.withoutId(line));
    });
  }
}

interface ReadBody {
  readonly line: string | undefined;
  readonly trailers: readonly string[];
  readonly isComplete: boolean;
  readonly end: number;
}

function readBody(text: string, at: number, head: AnswerHead, closed: boolean): ReadBody {
  const { status } = head;
  const none = { line: undefined, trailers: [], isComplete: true, end: at };
  // An answer to HEAD; no body of these origins begins like this.
  if (status === 204 || status === 304 || text.startsWith('HTTP/1.', at)) return none;
  if (head.value('transfer-encoding') !== undefined) return readChunked(text, at);
  const length = head.value('content-length');
  if (length === undefined) {
    const line = bodyLine('body until the close', text.slice(at));
    return { line, trailers: [], isComplete: closed, end: text.length };
  }
  const body = text.slice(at, at + Number(length));
  const isComplete = body.length === Number(length);
  const line = bodyLine(isComplete ? 'body' : 'body, cut short', body);
  return { line, trailers: [], isComplete, end: at + body.length };
}

function readChunked(text: string, start: number): ReadBody {
  let body = '';
  let at = start;
  const cut = (why: string) => ({
    line: bodyLine(`chunked body, ${why}`, body),
    trailers: [],
    isComplete: false,
    end: text.length,
  });
  for (;;) {
    const size = /^([0-9a-fA-F]+)\r\n/.exec(text.slice(at, at + 20))?.[1];
    if (size === undefined) {
      return cut(at >= text.length ? 'cut short' : `broken by ${escaped(text.slice(at, at + 40))}`);
    }
    at += size.length + 2;
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    body += text.slice(at, at + length);
    if (at + length >= text.length) return cut('cut short');
    if (!text.startsWith('\r\n', at + length)) return cut('broken behind a chunk');
    at += length + 2;
  }
  const end = text.indexOf('\r\n', at) === at ? at : text.indexOf('\r\n\r\n', at) + 2;
  if (end < at) return cut('cut short in its trailers');
  const trailers = end === at ? [] : text.slice(at, end - 2).split('\r\n');
  return {
    line: bodyLine('chunked body', body),
    trailers: trailers.map((line) => `trailer ${escaped(line)}`),
    isComplete: true,
    end: end + 2,
  };
}

/** What an origin at `port` received; one that never became whole only where that was no race. */
export function describeCalls(
  calls: readonly LaneCall[],
  port: number,
  withIncomplete: boolean,
): string[] {
  return calls.flatMap((call) => {
    if (!call.isComplete && !withIncomplete) return [];
    const lines = call.head.split('\r\n').map((line) =>
      escaped(
        line
          .replace(`127.0.0.1:${port}`, '<origin>')
          // Wormgate's own: whether a connection is to be used again is each lane's affair.
          .replace(/^Connection: (keep-alive|close)$/, 'Connection: <any>'),
      ),
    );
    const body = call.body === '' ? [] : [bodyLine('body', call.body)];
    const trailers = call.trailers === '' ? [] : [`trailers: ${escaped(call.trailers)}`];
    // How much of a body that is cut off came through is a race.
    return [...lines, ...(call.isComplete ? [...body, ...trailers] : ['never whole'])];
  });
}

export interface LogLine {
  readonly client: string;
  /** Without time and id. */
  readonly text: string;
}

/** A line of PROXY.LOG; the size of an answer of wormgate's own has the id's length taken out. */
export function readLogLine(line: string): LogLine {
  const [, client = '', rest = line] = /^(\S+) - - \[[^\]]+\] (.*)$/s.exec(line) ?? [];
  const id = / id=(\S+)$/.exec(rest)?.[1];
  if (id === undefined) return { client, text: rest };
  // How much a client that reads no more is sent is the kernel's affair.
  const bare = rest
    .slice(0, -id.length)
    // How much was on its way when it ended: the front counts what it has read, the other what it wrote.
    .replace(/" 200 \d+ error=(send_timeout|origin_cut_short)/, '" 200 error=$1');
  const isOrigins = /error=(client_gone|origin_cut_short|send_timeout|body_timeout)/.test(bare);
  const isOwn = !isOrigins && (/ error=/.test(bare) || !/ (detect|never-block|miss) /.test(bare));
  if (!isOwn) return { client, text: bare };
  return {
    client,
    text: bare.replace(/" ([45]\d\d) (\d+) /, (whole, status: string, size: string) =>
      size === '0' ? whole : `" ${status} ${Number(size) - id.length}+id `,
    ),
  };
}

/** The lines that both have, with `-` before those of the first alone and `+` of the second alone. */
export function difference(first: readonly string[], second: readonly string[]): string {
  let start = 0;
  while (start < first.length && start < second.length && first[start] === second[start]) start++;
  let end = 0;
  const shorter = Math.min(first.length, second.length) - start;
  while (end < shorter && first[first.length - 1 - end] === second[second.length - 1 - end]) end++;
  const alike = (line: string) => `  ${line}`;
  return [
    ...shortened(first.slice(0, start).map(alike)),
    ...shortened(first.slice(start, first.length - end).map((line) => `- ${line}`)),
    ...shortened(second.slice(start, second.length - end).map((line) => `+ ${line}`)),
    ...shortened(first.slice(first.length - end).map(alike)),
  ].join('\n');
}

const shownLinesMax = 60;

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= shownLinesMax) return lines;
  const half = shownLinesMax / 2;
  const left = `  ... ${lines.length - shownLinesMax} lines ...`;
  return [...lines.slice(0, half), left, ...lines.slice(-half)];
}

const shownTextMax = 1200;

/** Bytes that were sent, for a report: escaped, the middle of very long ones left out. */
export function shown(text: string): string {
  const whole = escaped(text);
  if (whole.length <= shownTextMax) return whole;
  const half = shownTextMax / 2;
  const left = ` ... ${whole.length - shownTextMax} characters ... `;
  return whole.slice(0, half) + left + whole.slice(-half);
}
