/**
 * All that has to do with connections to new hosts: the virus throttle with its egress gateway, the
 * origins that requests name, and the traps that tell of virus-like activity.
 */
import { DynamicOrigins } from './dynamic-origins.ts';
import { EgressService, type EgressServiceOptions } from './egress-service.ts';
import type { FindOrigin } from './http/policy.ts';
import type { ThrottleAlert } from './log/throttle-log.ts';
import type { TrapSender } from './log/traps.ts';
import { startTraps } from './trap-service.ts';

export type OutboundOptions = EgressServiceOptions & {
  readonly dataFolder: string;
};

/** Serves once `start` has resolved. */
export class Outbound {
  readonly egress: EgressService;
  readonly findOrigin: FindOrigin;
  readonly #options: OutboundOptions;
  readonly #dynamicOrigins: DynamicOrigins;
  #traps: TrapSender | undefined;

  constructor(options: OutboundOptions) {
    this.#options = options;
    const onAlert = (alert: ThrottleAlert) => {
      this.#traps?.tell(alert);
      options.onAlert(alert);
    };
    this.egress = new EgressService({ ...options, onAlert });
    const { resolver, sources } = this.egress;
    this.#dynamicOrigins = new DynamicOrigins({ ...options, resolver, sources });
    this.findOrigin = (request) => this.#dynamicOrigins.find(request);
  }

  /** Throws when the gateway's address cannot be had. */
  async start(): Promise<void> {
    await this.egress.start();
    this.#traps = startTraps(this.#options);
  }

  /** Follows a reload: the settings are in force, and `gateway` is what listens from now on. */
  async adopt(gateway: EgressService['gateway']): Promise<void> {
    await this.egress.adopt(gateway);
    this.#traps?.applySettings();
  }

  /** Requests under way have `drainMs` to finish; what waits for a host is refused. */
  async close(drainMs: number): Promise<void> {
    this.#dynamicOrigins.close();
    await this.egress.close(drainMs);
    this.#traps?.close();
  }
}
