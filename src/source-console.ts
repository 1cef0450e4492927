/** Virus sources as the console works on them. */
import { isIP } from 'node:net';
import type { SourceConsole } from './admin/source-commands.ts';
import { AddressList, normalizeAddress } from './config/address-list.ts';
import type { Settings } from './config/shape.ts';
import type { DataPlanes } from './data-planes.ts';
import type { SourceService } from './source-service.ts';
import { sourceKey } from './virus/source-key.ts';

export interface SourceConsoleParts {
  settings(): Settings;
  /** Undefined until they are read. */
  sources(): SourceService | undefined;
  /** Undefined until there are any. */
  planes(): Pick<DataPlanes, 'applied'> | undefined;
  nowMs(): number;
}

export function sourceConsole(parts: SourceConsoleParts): SourceConsole {
  const service = () => {
    const open = parts.sources();
    if (open === undefined) throw new Error('the sources are not read yet');
    return open;
  };
  const all = () => service().watch.sources;
  return {
    isWatching: () => service().watch.isWatching,
    list: () => all().entries(),
    counts: () => {
      const { blockedCount: blocked, size } = all();
      return { blocked, watched: size - blocked };
    },
    find: (address) => all().get(sourceKey(address), parts.nowMs()),
    objection: (address) => objectionTo(address, parts.settings()),
    block: async (address, seconds) => {
      const length = seconds === undefined ? undefined : seconds * 1000;
      const source = await service().block(address, length);
      await parts.planes()?.applied();
      return source;
    },
    forgive: async (address) => {
      const source = await service().forgive(address);
      await parts.planes()?.applied();
      return source;
    },
    read: (text) => {
      const bare = text.replace(/\/64$/, '');
      return isIP(bare) === 0 ? undefined : normalizeAddress(bare);
    },
  };
}

/** Why an address is never blocked. */
function objectionTo(address: string, { virus, accelerators }: Settings): string | undefined {
  if (new AddressList(virus.neverBlockAddresses).has(address)) {
    return `${address} is in NeverBlock: it would not be blocked.`;
  }
  const trusting = accelerators.find(({ trustedProxies }) =>
    new AddressList(trustedProxies).has(address),
  );
  if (trusting === undefined) return undefined;
  return `${address} is in TrustedProxies of [Accelerator ${trusting.name}]: it carries requests of others, and is no source itself.`;
}
