/**
 * Asks one origin again and again whether it works, each time on a connection of its own. Decides
 * nothing: what is made of a result is for health.ts.
 */
import { type ClientRequest, request } from 'node:http';
import type { HealthCheckSettings } from '../config/shape.ts';
import type { OriginLink } from './origin-link.ts';

export class HealthCheck {
  readonly #link: OriginLink;
  readonly #onResult: (failure: string | undefined) => void;
  #settings: HealthCheckSettings | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The last one; it may have been judged and still be reading an answer that nobody wants. */
  #request: ClientRequest | undefined;
  #isJudged = true;

  /** `onResult`: told of each check why it failed, or undefined. */
  constructor(link: OriginLink, onResult: (failure: string | undefined) => void) {
    this.#link = link;
    this.#onResult = onResult;
  }

  /** Begins with a check at once; undefined settings: no checks from now on. */
  configure(settings: HealthCheckSettings | undefined): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.stop();
    this.#settings = settings;
    if (settings !== undefined) this.#check(settings);
  }

  stop(): void {
    this.#settings = undefined;
    clearTimeout(this.#timer);
    this.#isJudged = true;
    this.#request?.destroy();
    this.#request = undefined;
  }

  #check(settings: HealthCheckSettings): void {
    const asked = request({
      createConnection: () => this.#link.open(),
      path: settings.path,
      headers: {
        Host: settings.host === '' ? this.#link.url.host : settings.host,
        'User-Agent': 'wormgate-health-check',
        Connection: 'close',
      },
    });
    this.#request?.destroy();
    this.#request = asked;
    this.#isJudged = false;
    const seconds = settings.timeoutMs / 1000;
    const late = () => asked.destroy(new Error(`no answer within ${seconds} s`));
    const timer = setTimeout(late, settings.timeoutMs).unref();
    asked.on('error', (error) => this.#end(asked, reasonOf(error)));
    asked.on('response', (answer) => {
      const status = answer.statusCode ?? 0;
      const isGood = settings.statuses.some(([first, last]) => status >= first && status <= last);
      this.#end(asked, isGood ? undefined : `status ${status}`);
      answer.resume();
    });
    // Among others after a switch of protocols, which is no answer.
    asked.on('close', () => {
      clearTimeout(timer);
      this.#end(asked, 'closed without an answer');
    });
    asked.end();
  }

  /** Once for each check that was not given up: whatever else is heard of it does not count. */
  #end(asked: ClientRequest, failure: string | undefined): void {
    const settings = this.#settings;
    if (this.#request !== asked || this.#isJudged || settings === undefined) return;
    this.#isJudged = true;
    this.#timer = setTimeout(() => this.#check(settings), settings.intervalMs).unref();
    this.#onResult(failure);
  }
}

/** The longest reason that is told. */
const reasonLengthMax = 200;

/** Why a connection failed, in a line of printable ASCII: certificates may hold anything. */
export function reasonOf(error: Error): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : '';
  const code = 'code' in error ? String(error.code) : '';
  // What OpenSSL says is long and holds its reason.
  const text = (/:error:/.test(error.message) && reason) || error.message || code || error.name;
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, reasonLengthMax);
}
