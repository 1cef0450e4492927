/** Made-up settings of an accelerator about TLS, without certificates, and the lines that mean them. */
import fc from 'fast-check';
import type { AcceleratorSettings, TlsSettings } from '../../src/config/shape.ts';

/** What an accelerator without a line about TLS has. */
export const noTls: TlsSettings = {
  listen: [],
  certificates: [],
  minVersion: 'TLSv1.2',
  ciphers: '',
  http2: true,
  hsts: '',
  redirectPort: undefined,
};

export const tlsModel: fc.Arbitrary<TlsSettings> = fc
  .record({
    minVersion: fc.constantFrom('TLSv1.2' as const, 'TLSv1.3' as const),
    ciphers: fc.constantFrom('', 'TLS_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'),
    http2: fc.boolean(),
    hsts: fc
      .tuple(fc.integer({ min: 0, max: 63_072_000 }), fc.boolean())
      .map(([seconds, below]) =>
        seconds === 0 ? '' : `max-age=${seconds}${below ? '; includeSubDomains' : ''}`,
      ),
    redirectPort: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
  })
  .map((draft) => ({ listen: [], certificates: [], ...draft }));

/** The lines of the accelerator's section. */
export function renderTls({ tls, proxyProtocol }: AcceleratorSettings): string[] {
  return [
    'ListenTls=',
    `TlsMinVersion=${tls.minVersion.slice('TLSv'.length)}`,
    `TlsCiphers=${tls.ciphers}`,
    `Http2=${tls.http2 ? 1 : 0}`,
    `HstsSeconds=${/\d+/.exec(tls.hsts)?.[0] ?? 0}`,
    `HstsIncludeSubdomains=${tls.hsts.includes('Sub') ? 1 : 0}`,
    `RedirectToTls=${tls.redirectPort === undefined ? 0 : 1}`,
    `RedirectPort=${tls.redirectPort ?? 0}`,
    `ProxyProtocol=${proxyProtocol ? 1 : 0}`,
  ];
}
