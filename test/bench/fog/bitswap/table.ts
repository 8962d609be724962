import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FogNetworkNamespaces, NetworkHost } from '../../../support/network';
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

/** The line is quiet when so few bytes pass in so long a time. */
const [QUIET_MS, HEARTBEATS] = [300, 20_000];
const LONGEST_WAIT_MS = 60_000;

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

/**
 * Waits until what the step before set going is over, as blocks that are asked for twice: each system has the line to
 * itself. Answers the bytes that have gone between sites.
 */
async function quiet(network: FogNetworkNamespaces): Promise<number> {
  let before = await network.bytesBetweenSites();
  for (const end = performance.now() + LONGEST_WAIT_MS; ; ) {
    await sleep(QUIET_MS);
    const now = await network.bytesBetweenSites();
    if (now - before < HEARTBEATS || performance.now() > end) return now;
    before = now;
  }
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
    const before = await quiet(network);
    if (step === 'write') ({ cids, seconds: seconds[step] } = await system.write(files));
    else seconds[step] = await system.read(step, cids);
    between[step] = (await network.bytesBetweenSites()) - before;
  }
  for (const file of files) rmSync(file);
  return { seconds, between };
}
