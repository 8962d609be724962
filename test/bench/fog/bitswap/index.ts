import { join } from 'node:path';
import type { Bench, BenchCase } from '../../harness/bench';
import type { Bar, Fact } from '../../harness/result';
import { median } from '../../harness/statistics';
import { SIZES } from '../inputs';
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

/** The table of Confais, Lebre and Parrein (Fog and Edge Computing 2017): IPFS with a NAS per site, and without. */
export const bitswap: BenchCase = {
  name: 'bitswap',
  summary: 'reads and writes of 1 and 100 objects beside js bitswap without a NAS',
  run: (bench) =>
    withFog(bench, 'fog-bitswap', async (fog) => {
      const peers = await startPeers(bench, fog);
      const [facts, bars]: [Fact[], Bar[]] = [[], []];
      for (const count of bench.quick ? [1, 10] : [1, 100]) {
        for (const { name, bytes } of bench.quick ? SIZES.slice(0, 2) : SIZES) {
          bench.say(`${count} x ${name}`);
          const [ours, theirs]: [Turn[], Turn[]] = [[], []];
          for (let turn = 0; turn < (count === 1 && !bench.quick ? TURNS : 1); turn += 1) {
            ours.push(await takeTurn(fog, fogSystem(fog.hosts), count, bytes));
            theirs.push(await takeTurn(fog, bitswapSystem(peers), count, bytes));
          }
          for (const step of STEPS) {
            const what = `${step}, ${count} x ${name}`;
            facts.push(factOf('garua', what, ours, step), factOf('js bitswap', what, theirs, step));
            const value = secondsOf(ours, step) / secondsOf(theirs, step);
            bars.push({ claim: `${what}: garua / js bitswap`, value, limit: LIMITS[step], unit: 'x' });
          }
        }
      }
      return {
        kind: 'facts',
        name: 'bitswap',
        title: 'Objects on a NAS per site beside js bitswap without one (all asked for at once)',
        date: new Date().toISOString(),
        facts,
        bars,
      };
    }),
};

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
