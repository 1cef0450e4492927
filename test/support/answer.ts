/** Reads HTTP answers off raw bytes, strictly and by itself, so that what a proxy sends is judged by another reader. */

export interface Answer {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  /** Header lines in the order and case received. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
}

export interface ReadAnswer {
  readonly answer: Answer;
  /** The offset behind the answer. */
  readonly end: number;
}

const blankLine = Buffer.from('\r\n\r\n');

/** The value of a header, repeated ones joined by `, `; undefined when there is none. */
export function headerOf(answer: Pick<Answer, 'lines'>, name: string): string | undefined {
  const values = answer.lines.filter(([each]) => each.toLowerCase() === name.toLowerCase());
  return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ');
}

/** The answer at `from`; undefined while it is incomplete. `closed`: nothing more will come. */
export function readAnswer(
  bytes: Buffer,
  from: number,
  method: string,
  closed: boolean,
): ReadAnswer | undefined {
  const headEnd = bytes.indexOf(blankLine, from);
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...rest] = bytes.toString('latin1', from, headEnd).split('\r\n');
  const parts = /^HTTP\/(1\.[01]) (\d{3}) ?(.*)$/s.exec(statusLine);
  if (parts === null) throw new Error(`no status line: ${statusLine}`);
  const lines = rest.map(splitLine);
  const status = Number(parts[2]);
  const head = { version: parts[1] ?? '', status, reason: parts[3] ?? '', lines };
  const start = headEnd + blankLine.length;
  const whole = (answer: Pick<Answer, 'body' | 'framing'> & Partial<Answer>, end: number) => ({
    answer: { trailers: [], ...head, ...answer },
    end,
  });
  const empty = Buffer.alloc(0);
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') {
    return whole({ body: empty, framing: 'none' }, start);
  }
  const coding = headerOf(head, 'transfer-encoding');
  const length = headerOf(head, 'content-length');
  if (coding !== undefined && length !== undefined) throw new Error('both framings');
  if (coding !== undefined) {
    if (coding !== 'chunked') throw new Error(`transfer-encoding: ${coding}`);
    const read = readChunks(bytes, start);
    return read && whole({ ...read, framing: 'chunked' }, read.end);
  }
  if (length === undefined) {
    if (!closed) return undefined;
    return whole({ body: bytes.subarray(start), framing: 'close' }, bytes.length);
  }
  const end = start + Number(length);
  if (bytes.length < end) return undefined;
  return whole({ body: bytes.subarray(start, end), framing: 'length' }, end);
}

function splitLine(line: string): readonly [string, string] {
  const colon = line.indexOf(': ');
  const parts =
    colon < 0 ? [line.replace(/:$/, ''), ''] : [line.slice(0, colon), line.slice(colon + 2)];
  return [parts[0] ?? '', parts[1] ?? ''];
}

function readChunks(
  bytes: Buffer,
  start: number,
): (Pick<ReadAnswer, 'end'> & Pick<Answer, 'body' | 'trailers'>) | undefined {
  const chunks: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const text = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-f]+$/i.test(text)) throw new Error(`chunk size: ${text}`);
    const size = Number.parseInt(text, 16);
    at = lineEnd + 2;
    if (size === 0) {
      const trailers: (readonly [string, string])[] = [];
      for (;;) {
        const end = bytes.indexOf('\r\n', at);
        if (end < 0) return undefined;
        const line = bytes.toString('latin1', at, end);
        at = end + 2;
        if (line === '') return { body: Buffer.concat(chunks), trailers, end: at };
        trailers.push(splitLine(line));
      }
    }
    if (bytes.length < at + size + 2) return undefined;
    chunks.push(bytes.subarray(at, at + size));
    if (bytes.toString('latin1', at + size, at + size + 2) !== '\r\n') throw new Error('chunk end');
    at += size + 2;
  }
}
