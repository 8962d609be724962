import { rmSync } from 'node:fs';
import type { NetworkHost } from '../../../support/network';
import { writeInput } from '../inputs';
import type { Fog } from '../with-fog';
import type { BitswapHost } from './bitswap-host';

/** What the paper measures, in seconds for all objects; `between`: bytes between sites of each. */
export const STEPS = ['write', 'local read', 'remote first read', 'remote second read'] as const;
export type Step = (typeof STEPS)[number];

export interface Turn {
  seconds: Record<Step, number>;
  between: Record<Step, number>;
}

/** A system under test: its hosts do each step in the same places of the network. */
export interface System {
  write(files: string[]): Promise<{ cids: string[]; seconds: number }>;
  /** By the neighbour of the writer, by a host of another site, and by that one's neighbour. */
  read(step: Exclude<Step, 'write'>, cids: string[]): Promise<number>;
}

const READERS = { 'local read': 1, 'remote first read': 2, 'remote second read': 3 } as const;

export function bitswapSystem(hosts: BitswapHost[]): System {
  return {
    write: async (files) => {
      const { result, seconds } = await hosts[0]!.put(files);
      return { cids: result, seconds };
    },
    read: async (step, cids) => (await hosts[READERS[step]]!.get(cids)).seconds,
  };
}

/** Through the control socket, as another program on the machine would. */
export function fogSystem(hosts: NetworkHost[]): System {
  return {
    write: (files) =>
      hosts[0]!.use(async (host) => {
        const started = performance.now();
        const results = await Promise.all(files.map((file) => host.put(file)));
        return { cids: results.map(({ cid }) => cid), seconds: (performance.now() - started) / 1000 };
      }),
    read: (step, cids) =>
      hosts[READERS[step]]!.use(async (host) => {
        const started = performance.now();
        await Promise.all(cids.map((cid) => host.get(cid, null)));
        return (performance.now() - started) / 1000;
      }),
  };
}

/** One pass over all steps with objects that are new. */
export async function takeTurn(
  { network, folder }: Fog,
  system: System,
  count: number,
  bytes: number,
): Promise<Turn> {
  const files = Array.from({ length: count }, (_, index) => writeInput(folder, `object-${index}`, bytes));
  const [seconds, between] = [{}, {}] as [Turn['seconds'], Turn['between']];
  let cids: string[] = [];
  for (const step of STEPS) {
    const before = await network.bytesBetweenSites();
    if (step === 'write') ({ cids, seconds: seconds[step] } = await system.write(files));
    else seconds[step] = await system.read(step, cids);
    between[step] = (await network.bytesBetweenSites()) - before;
  }
  for (const file of files) rmSync(file);
  return { seconds, between };
}
