import { join } from 'node:path';
import type { Bench, BenchCase } from '../../harness/bench';
import type { Bar, Fact } from '../../harness/result';
import { median } from '../../harness/statistics';
import { SIZES, type Size } from '../inputs';
import { type Fog, withFog } from '../with-fog';
import { BitswapHost } from './bitswap-host';
import { bitswapModules } from './modules';
import { bitswapSystem, fogSystem, STEPS, type Step, type Turn, takeTurn } from './table';

/** Of the time that plain IPFS takes. */
const LIMITS: Record<Step, number> = {
  write: 1.1,
  'local read': 0.6,
  'remote first read': 1.1,
  'remote second read': 0.6,
};
const TURNS = 5;
const WARMING = 3;

const TITLE = 'Objects on a NAS per site beside js bitswap without one (all asked for at once)';

/** The table of Confais, Lebre and Parrein (Fog and Edge Computing 2017): IPFS with a NAS per site, and without. */
export const bitswap: BenchCase[] = [
  tableOf('bitswap-1', 1, SIZES, TURNS),
  tableOf('bitswap-100', 100, SIZES.slice(0, 2), 1),
  // A gigabyte over the uplink, three times.
  tableOf('bitswap-100-large', 100, SIZES.slice(2), 1),
];

function tableOf(name: string, count: number, sizes: Size[], turns: number): BenchCase {
  return {
    name,
    summary: `reads and writes of ${count} of ${sizes.map((size) => size.name).join(', ')} beside js bitswap`,
    run: (bench) =>
      withFog(bench, `fog-${name}`, async (fog) => {
        const [ours, theirs] = [fogSystem(fog.hosts), bitswapSystem(await startPeers(bench, fog))];
        // What is only made at first, as the folders of a store, is no part of the table.
        for (let turn = 0; turn < WARMING; turn += 1) {
          for (const system of [ours, theirs]) await takeTurn(fog, system, 1, sizes[0]!.bytes);
        }
        const [facts, bars]: [Fact[], Bar[]] = [[], []];
        for (const { name: size, bytes } of sizes) {
          const [our, their]: [Turn[], Turn[]] = [[], []];
          for (let turn = 0; turn < turns; turn += 1) {
            our.push(await takeTurn(fog, ours, count, bytes));
            their.push(await takeTurn(fog, theirs, count, bytes));
          }
          for (const step of STEPS) {
            const what = `${step}, ${count} x ${size}`;
            facts.push(factOf('garua', what, our, step), factOf('js bitswap', what, their, step));
            const value = secondsOf(our, step) / secondsOf(their, step);
            bars.push({ claim: `${what}: garua / js bitswap`, value, limit: LIMITS[step], unit: 'x' });
          }
        }
        return { kind: 'facts', name, title: TITLE, date: new Date().toISOString(), facts, bars };
      }),
  };
}

async function startPeers(bench: Bench, { network, folder }: Fog): Promise<BitswapHost[]> {
  const modules = await bitswapModules(bench.say);
  const peers = await Promise.all(
    network.places.map((place, index) => BitswapHost.start(place, modules, join(folder, `ipfs-${index}`))),
  );
  for (const [index, peer] of peers.entries()) {
    for (const other of peers.slice(index + 1)) await peer.dial(other);
  }
  return peers;
}

const secondsOf = (turns: Turn[], step: Step) => median(turns.map(({ seconds }) => seconds[step]));

function factOf(system: string, what: string, turns: Turn[], step: Step): Fact {
  const megabytes = median(turns.map(({ between }) => between[step])) / 1e6;
  return {
    what: `${system}: ${what}`,
    value: secondsOf(turns, step),
    unit: 's',
    note: `${megabytes.toFixed(2)} MB between sites`,
  };
}
