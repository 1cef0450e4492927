/**
 * What is never blocked, whatever it matches: requests of listed client addresses, and requests whose
 * path begins with a listed prefix. The path must begin with it both as sent and decoded without dot
 * segments, because an origin may read it either way: neither `/safe/..%2fscripts/root.exe` nor
 * `/scripts/root.exe/..%2f..%2fsafe/` passes for `/safe/`.
 */
import { AddressList } from '../config/address-list.ts';
import { normalizeTarget } from './normalize.ts';

export class NeverBlock {
  readonly #addresses: AddressList;
  readonly #paths: readonly string[];

  constructor(cidrs: readonly string[], paths: readonly string[]) {
    this.#addresses = new AddressList(cidrs);
    this.#paths = paths;
  }

  /** `target` is the origin-form target as latin1 text. */
  covers(client: string, target: string): boolean {
    if (this.#addresses.has(client)) return true;
    if (this.#paths.length === 0) return false;
    const decoded = normalizeTarget(target) ?? target;
    return this.#paths.some((prefix) => target.startsWith(prefix) && decoded.startsWith(prefix));
  }
}
