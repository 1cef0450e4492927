/**
 * Requests and their spans on both lanes: each is played on the fast path and on the front, before one origin
 * and one collector each, and must leave the same.
 */
import type { Cleanup } from './cleanup.ts';
import type { ReceivedSpan } from './otlp-reader.ts';
import { RawClient } from './raw-client.ts';
import { type ScriptedOrigin, startScriptedOrigin } from './scripted-origin.ts';
import { startTraceCollector, type TraceCollector } from './trace-collector.ts';
import { startWormgate, until, type Wormgate } from './wormgate.ts';

export const traceId = '0af7651916cd43dd8448eb211c80319c';
export const parentId = 'b7ad6b7169203331';
export const parent = `00-${traceId}-${parentId}-01`;

export interface TraceLane {
  readonly name: 'fast path' | 'front';
  readonly wormgate: Wormgate;
  readonly origin: ScriptedOrigin;
  readonly collector: TraceCollector;
}

type Sections = Readonly<Record<string, readonly string[]>>;

/** The section of a collector, with further lines. */
export function tracing({ port }: { readonly port: number }, ...lines: string[]): Sections {
  return { Tracing: [`Endpoint=http://127.0.0.1:${port}/v1/traces`, ...lines] };
}

/** `tracingLines`: of the section, beside Endpoint and SpanBatch; undefined: there is none. */
export async function startTraceLanes(
  test: Cleanup,
  tracingLines: readonly string[] | undefined,
  sections: Sections = {},
  accelerator: readonly string[] = [],
): Promise<readonly TraceLane[]> {
  const start = async (name: TraceLane['name'], fastPath: number): Promise<TraceLane> => {
    const origin = await startScriptedOrigin(test);
    const collector = await startTraceCollector(test);
    const wormgate = await startWormgate(test, {
      origin: origin.url,
      accelerator,
      sections: {
        'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
        // A span that waits for no other makes no test wait.
        ...(tracingLines && tracing(collector, 'SpanBatch=1', ...tracingLines)),
        ...sections,
      },
    });
    return { name, wormgate, origin, collector };
  };
  return await Promise.all([start('fast path', 1), start('front', 0)]);
}

/** Sends one request on a connection of its own, and hears its answer, if there is one. */
export async function ask(port: number, target: string, ...lines: string[]): Promise<void> {
  const client = await RawClient.connect(port);
  client.send(`GET ${target} HTTP/1.1\r\nHost: site.test\r\n${lines.map(crlf).join('')}\r\n`);
  await client.answer().catch(() => undefined);
  client.destroy();
}

function crlf(line: string): string {
  return `${line}\r\n`;
}

/** The spans of the collector, or of a path there, once there are so many. */
export async function spansOf(
  collector: TraceCollector,
  count: number,
  path?: string,
): Promise<readonly ReceivedSpan[]> {
  const found = () =>
    collector.spans.filter(({ attributes }) => [undefined, attributes['url.path']].includes(path));
  await until(
    () => found().length >= count,
    10_000,
    () => `${found().length} spans of ${count}`,
  );
  return found();
}

/** The values of the head's lines of a name, in lower case. */
export function linesOf(head: string, name: string): string[] {
  const found = head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name}:`));
  return found.map((line) => line.slice(name.length + 2));
}
