/** Made-up settings of `[Tracing]`, and the lines that mean them. */
import fc from 'fast-check';
import { quote } from '../../src/config/quoted.ts';
import type { TracingSettings } from '../../src/config/shape.ts';

const count = (max: number, min = 1) => fc.integer({ min, max });
const visible = fc.stringMatching(/^[\x21-\x7e]{1,12}$/);

export const tracingModel: fc.Arbitrary<TracingSettings> = fc
  .record(
    {
      url: fc.constantFrom('', 'http://127.0.0.1:4318/v1/traces', 'https://[::1]/v1/traces?a=b'),
      headers: fc.uniqueArray(
        fc.tuple(fc.constantFrom('api-key', 'X-Tenant', 'Authorization'), visible),
        { selector: ([name]) => name },
      ),
      serviceName: fc.stringMatching(/^[\x21-\x7e]{1,20}$/),
      sampleRatio: fc.constantFrom(0, 1, 0.5, 0.01, 0.000001),
      perSecondMax: count(100_000),
      timeoutMs: count(3600).map((seconds) => seconds * 1000),
      retriesMax: count(1000, 0),
      queueMax: count(100_000),
      batchMax: count(2000),
    },
    { noNullPrototype: true },
  )
  .map((settings) => ({ ...settings, headers: settings.url === '' ? [] : settings.headers }));

/** The section's lines. */
export function renderTracing(settings: TracingSettings): string[] {
  const headers = settings.headers.map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return [
    `Endpoint=${settings.url}`,
    `Headers=${quote(headers.join(', '))}`,
    `ServiceName=${quote(settings.serviceName)}`,
    `SampleRatio=${settings.sampleRatio.toFixed(6)}`,
    `SpansPerSecond=${settings.perSecondMax}`,
    `ExportTimeout=${settings.timeoutMs / 1000}`,
    `ExportRetries=${settings.retriesMax}`,
    `MaxSpanQueue=${settings.queueMax}`,
    `SpanBatch=${settings.batchMax}`,
  ];
}
