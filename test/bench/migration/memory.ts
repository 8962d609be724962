import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchCase } from '../harness/bench';
import type { Bar, Fact } from '../harness/result';
import { median } from '../harness/statistics';
import { fact } from './facts';
import { downtimeOf, type Move, measureMove } from './measure';
import { PodmanMove } from './peers/podman';
import { PlainRunc } from './peers/runc';
import { LINKS, type LinkName, type MovingHosts, withHosts } from './with-hosts';

const REPETITIONS = 5;
const MEBIBYTES = 200;
const DIRTIED_PER_SECOND = 1_000_000;
const COMMAND = ['/programs/memory', String(MEBIBYTES), String(DIRTIED_PER_SECOND), '/shared/beats'];

export const memory100 = memoryCase('100mbit');
export const memory20 = memoryCase('20mbit');

/** Beside ours the downtime of the others, in milliseconds. */
interface Run extends Move {
  plain: number;
  podman: number | undefined;
}

/** How long 200 MiB that nothing compresses, and that change, stand still when they move. */
function memoryCase(link: LinkName): BenchCase {
  const { title } = LINKS[link];
  return {
    name: `memory-${link}`,
    summary: `200 MiB of memory, 1 MB/s of it dirtied, over ${title}, beside podman and plain runc`,
    quick: link === '100mbit',
    run: (bench) =>
      withHosts(bench, { name: `migration-${link}`, link, image: 'busybox' }, async (hosts) => {
        const runs: Run[] = [];
        const repetitions = bench.repetitions ?? (bench.quick ? 1 : REPETITIONS);
        for (let turn = 1; turn <= repetitions; turn += 1) {
          runs.push(await measureAll(bench, hosts));
          bench.say(`memory-${link} ${turn}/${repetitions}: ${describe(runs.at(-1)!)}`);
        }
        return {
          kind: 'facts',
          name: `memory-${link}`,
          title: `200 MiB of memory, 1 MB/s of it dirtied, over ${title}`,
          date: new Date().toISOString(),
          facts: factsOf(runs),
          bars: barsOf(runs, title),
        };
      }),
  };
}

async function measureAll(bench: Bench, hosts: MovingHosts): Promise<Run> {
  const spec = { name: 'bench-memory', network: 'none', command: COMMAND } as const;
  const beats = () => hosts.beats();
  const move = await measureMove(hosts, spec, beats);
  const plain = new PlainRunc(hosts);
  const podman = new PodmanMove(hosts);
  hosts.forgetBeats();
  try {
    await plain.run(await bench.images.ensure('busybox'), COMMAND);
    const once = await downtimeOf(beats, () => plain.checkpointAndRestore());
    await plain.close();
    if (!hasPodman()) return { ...move, plain: once, podman: undefined };
    hosts.forgetBeats();
    await podman.run(COMMAND);
    return { ...move, plain: once, podman: await downtimeOf(beats, () => podman.move()) };
  } finally {
    await plain.close();
    if (hasPodman()) await podman.close();
  }
}

function factsOf(runs: Run[]): Fact[] {
  const peers = runs.flatMap(({ podman }) => podman ?? []);
  return [
    fact(
      'downtime',
      of(runs, ({ downtime }) => downtime),
      'ms',
    ),
    fact(
      'downtime as the result says',
      of(runs, ({ result }) => result.downtimeMs),
      'ms',
    ),
    fact(
      'downtime, runc checkpoint and restore on one host',
      of(runs, ({ plain }) => plain),
      'ms',
    ),
    fact('downtime, podman: checkpoint -e, copy, restore -i', peers, 'ms', 'podman is not installed'),
    fact(
      'whole migration',
      of(runs, ({ result }) => result.totalMs),
      'ms',
    ),
    fact(
      'bytes sent',
      of(runs, ({ result }) => result.bytesSent / 1e6),
      'MB',
    ),
    fact(
      'warm-up',
      of(runs, ({ result }) => result.rounds.length),
      'rounds',
    ),
    fact(
      'event loop of the busier host, p99',
      of(runs, ({ eventLoop }) => eventLoop.p99),
      'ms',
    ),
  ];
}

function barsOf(runs: Run[], link: string): Bar[] {
  const ours = median(of(runs, ({ downtime }) => downtime));
  const peers = runs.flatMap(({ podman }) => podman ?? []);
  const claim = (text: string) => `200 MiB over ${link}: ${text}`;
  const bars: Bar[] = [
    {
      claim: claim('downtime beyond that of dump and restore on one host'),
      value: ours - median(of(runs, ({ plain }) => plain)),
      limit: 400,
      unit: 'ms',
    },
    {
      claim: claim('bytes sent / memory'),
      value: median(of(runs, ({ result }) => result.bytesSent)) / (MEBIBYTES * 2 ** 20),
      limit: 1.3,
      unit: 'x',
    },
    {
      claim: claim('event loop of the hosts, p99'),
      value: median(of(runs, ({ eventLoop }) => eventLoop.p99)),
      limit: 20,
      unit: 'ms',
    },
  ];
  if (peers.length > 0) {
    bars.unshift({ claim: claim('downtime / podman'), value: ours / median(peers), limit: 0.1, unit: 'x' });
  }
  return bars;
}

const of = (runs: Run[], value: (run: Run) => number) => runs.map(value);

function describe({ downtime, plain, podman, result }: Run): string {
  const peer = podman === undefined ? '' : `, podman ${Math.round(podman)} ms`;
  return `downtime ${Math.round(downtime)} ms, runc ${Math.round(plain)} ms${peer}, ${result.rounds.length} rounds`;
}

function hasPodman(): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder || '.', 'podman')));
}
