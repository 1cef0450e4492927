/**
 * All that has to do with connections to new hosts: the virus throttle with its egress gateway, and the
 * traps that tell of virus-like activity.
 */
import { type AwaitTurn, awaitTurn } from './egress/await-turn.ts';
import { EgressService, type EgressServiceOptions } from './egress-service.ts';
import type { ThrottleAlert } from './log/throttle-log.ts';
import type { TrapSender } from './log/traps.ts';
import { acceleratorSource } from './throttle/sources.ts';
import { startTraps } from './trap-service.ts';

export type OutboundOptions = EgressServiceOptions & {
  readonly dataFolder: string;
};

/** Serves once `start` has resolved. */
export class Outbound {
  readonly egress: EgressService;
  /** For the accelerator's own connections. */
  readonly awaitTurn: AwaitTurn;
  readonly #options: OutboundOptions;
  #traps: TrapSender | undefined;

  constructor(options: OutboundOptions) {
    this.#options = options;
    const onAlert = (alert: ThrottleAlert) => {
      this.#traps?.tell(alert);
      options.onAlert(alert);
    };
    this.egress = new EgressService({ ...options, onAlert });
    const { sources } = this.egress;
    this.awaitTurn = (host, socket, onDelayed) =>
      awaitTurn(sources, { source: acceleratorSource, host }, socket, onDelayed);
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
    await this.egress.close(drainMs);
    this.#traps?.close();
  }
}
