import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../harness/bench';
import type { Bar, Fact } from '../harness/result';
import { median } from '../harness/statistics';
import { BareLine } from './in-place';
import { SIZES, writeInput } from './inputs';
import { type Fog, withFog } from './with-fog';

const READS = 21;
const WRITES = 31;
/** Before the first write that counts: a host runs for long. */
const WARMING = 10;
const TRANSFERS = 5;
const REMOTE_BYTES = 10_000_000;
const WRITE_BYTES = 1_000_000;

/** Reads and writes beside the plain file or the bare line, as the host that does them measures them. */
export const objects: BenchCase = {
  name: 'objects',
  summary: 'reads and writes of objects beside plain files and the bare line',
  quick: true,
  run: (bench) =>
    withFog(bench, 'fog-objects', async (fog) => {
      const rounds = bench.quick ? 3 : TRANSFERS;
      const parts = [await localReads(fog), await localWrites(fog), await remoteReads(fog, rounds)];
      return {
        kind: 'facts',
        name: 'objects',
        title: 'Objects: 3 sites x 2 hosts, 20 Mbit/s uplinks, 20 ms one way (medians)',
        date: new Date().toISOString(),
        facts: parts.flatMap(({ facts }) => facts),
        bars: parts.flatMap(({ bars }) => bars),
      };
    }),
};

interface Part {
  facts: Fact[];
  bars: Bar[];
}

async function localReads({ network, writer, neighbour, folder }: Fog): Promise<Part> {
  const [facts, bars]: [Fact[], Bar[]] = [[], []];
  for (const { name, bytes } of SIZES) {
    const file = writeInput(folder, `read-${bytes}`, bytes);
    const { cid } = await writer.use((host) => host.put(file));
    const host = await neighbour.open();
    await host.get(cid, null);
    const before = await network.bytesBetweenSites();
    const beforeCalls: number[] = [];
    const [ours, plain]: [number[], number[]] = [[], []];
    // In turn, so that a busy moment of the machine touches both.
    for (let turn = 0; turn < READS; turn += 1) {
      plain.push(milliseconds(() => createHash('sha256').update(readFileSync(file)).digest()));
      const { seconds, networkCalls } = await host.get(cid, null);
      ours.push(seconds * 1000);
      beforeCalls.push(networkCalls);
    }
    const between = (await network.bytesBetweenSites()) - before;
    await host.close();
    const calls = Math.max(...beforeCalls);
    const limit = 1.5 * median(plain) + 1;
    facts.push(
      { what: `local read, ${name}`, value: median(ours), unit: 'ms' },
      { what: `plain read and hash, ${name}`, value: median(plain), unit: 'ms' },
      {
        what: `calls to other hosts for a local read, ${name}`,
        value: calls,
        unit: '',
        note: `${between} bytes went between the sites meanwhile, all of them heartbeats`,
      },
    );
    bars.push(
      { claim: `local read of ${name}`, value: median(ours), limit: round(limit), unit: 'ms' },
      { claim: `calls to other hosts for a local read of ${name}`, value: calls, limit: 0, unit: '' },
    );
  }
  return { facts, bars };
}

async function localWrites({ writer, folder }: Fog): Promise<Part> {
  const [ours, plain]: [number[], number[]] = [[], []];
  const host = await writer.open();
  for (let turn = 0; turn < WARMING + WRITES; turn += 1) {
    const file = writeInput(folder, 'write', WRITE_BYTES);
    const content = readFileSync(file);
    const other = milliseconds(() => writePlain(join(folder, 'plain'), content));
    const { seconds } = await host.put(file);
    if (turn < WARMING) continue;
    plain.push(other);
    ours.push(seconds * 1000);
  }
  await host.close();
  rmSync(join(folder, 'plain'));
  const ratio = median(ours) / median(plain);
  return {
    facts: [
      { what: 'local write, 1 MB', value: median(ours), unit: 'ms' },
      { what: 'write + fsync + rename, 1 MB', value: median(plain), unit: 'ms' },
    ],
    bars: [{ claim: 'local write of 1 MB / the plain file', value: ratio, limit: 3, unit: 'x' }],
  };
}

async function remoteReads({ network, writer, remote, second, folder }: Fog, rounds: number): Promise<Part> {
  const line = await BareLine.open(writer.place, REMOTE_BYTES);
  const [first, again, bare, local]: number[][] = [[], [], [], []];
  let between = 0;
  for (let turn = 0; turn < rounds; turn += 1) {
    const file = writeInput(folder, 'remote', REMOTE_BYTES);
    const { cid } = await writer.use((host) => host.put(file));
    bare!.push(await line.transfer(remote.place, REMOTE_BYTES));
    const before = await network.bytesBetweenSites();
    first!.push((await remote.use((host) => host.get(cid, null))).seconds * 1000);
    between += (await network.bytesBetweenSites()) - before;
    again!.push((await second.use((host) => host.get(cid, null))).seconds * 1000);
    local!.push((await writer.use((host) => host.get(cid, null))).seconds * 1000);
  }
  line.close();
  return {
    facts: [
      { what: 'remote first read, 10 MB', value: median(first!) / 1000, unit: 's' },
      { what: 'bare TCP transfer of 10 MB', value: median(bare!) / 1000, unit: 's' },
      { what: 'bytes between sites for it', value: between / rounds / 1e6, unit: 'MB' },
      { what: 'remote second read by the other host of the site, 10 MB', value: median(again!), unit: 'ms' },
      { what: 'the same by the site that wrote it', value: median(local!), unit: 'ms' },
    ],
    bars: [
      {
        claim: 'remote first read of 10 MB / the bare TCP transfer',
        value: median(first!) / median(bare!),
        limit: 1.15,
        unit: 'x',
      },
      {
        claim: 'remote second read of 10 MB / a local read',
        value: median(again!) / median(local!),
        limit: 1.5,
        unit: 'x',
      },
    ],
  };
}

/** A file that is there for good, and was never seen half written. */
function writePlain(path: string, content: Buffer): void {
  const file = openSync(`${path}.new`, 'w');
  writeSync(file, content);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

function milliseconds(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

const round = (value: number) => Math.round(value * 100) / 100;
