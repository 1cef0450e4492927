/**
 * What holds for a listen address before anybody knows which site a connection is for: TLS with its
 * certificates, and the PROXY protocol. Made whole from the settings, like the policy that it is part of.
 */
import type { AcceleratorSettings, Certificate, TlsSettings } from '../config/shape.ts';
import { listenKey } from '../upstream/origins.ts';

export interface TlsRules extends Pick<TlsSettings, 'minVersion' | 'ciphers' | 'http2'> {
  /** Of all accelerators on the address, in their order; at least one. */
  readonly certificates: readonly Certificate[];
}

export interface ListenerRules {
  readonly proxyProtocol: boolean;
  /** Undefined: connections are in the clear. */
  readonly tls: TlsRules | undefined;
}

/** By the key of the listen address. */
export type ListenerTable = ReadonlyMap<string, ListenerRules>;

/** The rules of every listen address; `current` gives the newest certificate from the same files. */
export function listenersFor(
  accelerators: readonly AcceleratorSettings[],
  current: (certificate: Certificate) => Certificate,
): ListenerTable {
  const table = new Map<string, ListenerRules>();
  for (const { listen, tls, proxyProtocol } of accelerators) {
    for (const address of listen) table.set(listenKey(address), { proxyProtocol, tls: undefined });
    for (const address of tls.listen) {
      const key = listenKey(address);
      const { minVersion, ciphers, http2 } = tls;
      const others = table.get(key)?.tls?.certificates ?? [];
      const certificates = [...others, ...tls.certificates.map(current)];
      const rules = { minVersion, ciphers, http2, certificates };
      table.set(key, { proxyProtocol, tls: rules });
    }
  }
  return table;
}
