/** Origins, and their connections, without a server around them. */
import type { OriginSettings } from '../../src/config/shape.ts';
import type { CounterName } from '../../src/statistics.ts';
import { Origin, type OriginChoice, type OriginSurroundings } from '../../src/upstream/origin.ts';
import { OriginLink, type OriginPlace } from '../../src/upstream/origin-link.ts';
import { settingsOf } from './settings-text.ts';

/** A server's surroundings that remember what they were told. */
export class FakeSurroundings implements OriginSurroundings {
  readonly openings: string[] = [];
  readonly warnings: string[] = [];
  readonly counts: CounterName[] = [];
  timeMs = 0;
  /** What names resolve to. */
  addresses: readonly string[] = ['127.0.0.1'];
  readonly onOpening = (host: string) => void this.openings.push(host);
  readonly warn = (sentence: string) => void this.warnings.push(sentence);
  readonly count = (counter: CounterName) => void this.counts.push(counter);
  readonly upMs = () => this.timeMs;

  readonly lookUp = async (host: string) => {
    if (this.addresses.length === 0) throw new Error(`${host} is unknown`);
    return this.addresses;
  };
}

/** What an accelerator's section says about its origins, with these lines in it. */
export function originSettings(...lines: string[]): OriginSettings {
  const text = ['[Accelerator main]', 'Listen=127.0.0.1:80', 'Origin=http://o', ...lines];
  const [site] = settingsOf(text.join('\n')).accelerators;
  if (site === undefined) throw new Error('no site');
  return site.originSettings;
}

export const limits = settingsOf('[Accelerator main] Listen=127.0.0.1:80 Origin=http://o').limits;

/** The link to a plain origin on loopback. */
export function linkTo(port: number): OriginLink {
  const place = { protocol: 'http', host: '127.0.0.1', port } as const;
  const { tls } = originSettings();
  const nothing = () => {};
  return new OriginLink({
    ...{ place, tls, onOpening: nothing, onFound: nothing, onFailed: nothing },
    lookUp: async () => ['127.0.0.1'],
  });
}

/** An origin that is configured; whoever made it retires it. */
export function makeOrigin(
  place: Partial<OriginPlace> & { readonly port: number },
  settings = originSettings(),
  surroundings: OriginSurroundings = new FakeSurroundings(),
): Origin {
  const whole = { protocol: 'http', host: '127.0.0.1', ...place } as const;
  const origin = new Origin(whole, settings, surroundings);
  origin.configure(settings, limits);
  return origin;
}

/** One after the other. */
export function inOrder(origins: readonly Origin[]): OriginChoice {
  return { choose: (tried) => origins.find((origin) => !tried.includes(origin)) };
}
