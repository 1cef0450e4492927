/** The values of `[Tracing]`, with the check that needs two keys. */
import type { SectionReader } from './section-reader.ts';
import type { TracingSettings } from './shape.ts';
import type { SectionTable } from './table.ts';
import type { tracingSection } from './tracing-rows.ts';

type ValuesOf<S> = S extends SectionTable<infer V> ? V : never;
type TracingReader = SectionReader<ValuesOf<typeof tracingSection>>;

const secondMs = 1000;

/** The settings of `[Tracing]`. */
export function readTracingSettings(reader: TracingReader): TracingSettings {
  const url = reader.get('Endpoint');
  const headers = reader.get('Headers');
  if (headers.length > 0 && url === '' && !reader.isBad('Endpoint')) {
    reader.report(reader.lineOf('Headers'), 'Headers', 'it has no effect without Endpoint');
  }
  return {
    url,
    headers,
    serviceName: reader.get('ServiceName'),
    sampleRatio: reader.get('SampleRatio'),
    perSecondMax: reader.get('SpansPerSecond'),
    timeoutMs: reader.get('ExportTimeout') * secondMs,
    retriesMax: reader.get('ExportRetries'),
    queueMax: reader.get('MaxSpanQueue'),
    batchMax: reader.get('SpanBatch'),
  };
}
