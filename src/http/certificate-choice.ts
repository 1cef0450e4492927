/**
 * Which certificates a client may be shown, by the name that it asks for (SNI): those that have exactly
 * that name, else those with a wildcard for its first label (RFC 6125 §6.4.3), else the first one. Several
 * with the same name are used together if their keys are of different kinds; then the client decides.
 */
import type { Certificate } from '../config/shape.ts';

export class CertificateChoice {
  readonly #byName = new Map<string, Certificate[]>();
  readonly #first: readonly Certificate[];

  /** `certificates`: in the order in which they are preferred; at least one. */
  constructor(certificates: readonly Certificate[]) {
    for (const certificate of certificates) {
      for (const name of certificate.names) {
        const known = this.#byName.get(name) ?? [];
        this.#byName.set(name, known);
        if (known.every(({ keyType }) => keyType !== certificate.keyType)) known.push(certificate);
      }
    }
    const [first] = certificates;
    const withFirst = first?.names[0] === undefined ? undefined : this.#byName.get(first.names[0]);
    this.#first = withFirst ?? (first === undefined ? [] : [first]);
  }

  /** The certificates for a client that asks for no name. */
  get first(): readonly Certificate[] {
    return this.#first;
  }

  /** The certificates for a name as the client sent it, and nothing but those. */
  for(name: string): readonly Certificate[] {
    const wanted = name.toLowerCase();
    const exact = this.#byName.get(wanted);
    if (exact !== undefined) return exact;
    const dot = wanted.indexOf('.');
    return (dot > 0 ? this.#byName.get(`*${wanted.slice(dot)}`) : undefined) ?? this.#first;
  }
}
