import { join } from 'node:path';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import type { Bench, BenchCase } from '../harness/bench';
import { GARUA } from '../harness/garua';
import { type Daemon, startDaemon, timeOutput, waitFor } from '../harness/processes';
import type { Bar, Fact } from '../harness/result';
import { median } from '../harness/statistics';
import { removeTree } from '../harness/work-area';
import { Podman } from './podman';

const LIMIT = 0.6;
const RUNS = 15;
const QUICK_RUNS = 5;
const SAY = ['echo', 'ready'];
/** The bar is against the whole command, which is what its user waits for. */
const WHOLE = 'podman run, to its end';
const OURS = 'garua through a running host, first output';

export const startWithoutNetwork = startCase('start-no-network', 'none');
export const startBridge = startCase('start-bridge', 'bridge');

/** How long a container of a pulled image takes from the request to its first output. */
function startCase(name: string, network: 'none' | 'bridge'): BenchCase {
  const where = network === 'none' ? 'without a network' : 'on the bridge';
  return {
    name,
    summary: `start of a pulled image to its first output, ${where}, beside podman run`,
    quick: true,
    async run(bench) {
      const samples = await measureStarts(bench, name, network);
      const peer = median(samples[WHOLE]!);
      const facts: Fact[] = Object.entries(samples).map(([what, values]) => ({
        what,
        value: median(values),
        unit: 's',
        note: `median of ${values.length}, ${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}; ${(median(values) / peer).toFixed(2)} x podman run`,
      }));
      const claim = `start to first output ${where}: through a running host / podman run`;
      const bars: Bar[] = [{ claim, value: median(samples[OURS]!) / peer, limit: LIMIT, unit: 'x' }];
      const title = `start of a pulled image to its first output, ${where}`;
      return { kind: 'facts', name, title, date: new Date().toISOString(), facts, bars };
    },
  };
}

async function measureStarts(bench: Bench, name: string, network: 'none' | 'bridge') {
  await bench.images.ensure('busybox');
  const ref = bench.images.reference('busybox');
  const folder = bench.area.folder('disk', name);
  const data = join(folder, 'data');
  const socket = join(data, 'garua.sock');
  const podman = new Podman(join(folder, 'podman'));
  const samples: Record<string, number[]> = {
    [WHOLE]: [],
    'podman run, first output': [],
    [OURS]: [],
    'garua run, first output': [],
  };
  let daemon: Daemon | undefined;
  let host: Host | undefined;
  try {
    await podman.pull(ref);
    daemon = startDaemon(process.execPath, [GARUA, 'host', '--data', data], join(folder, 'host.log'));
    const opened = await waitFor('the host', daemon, () => openHost({ socket }));
    host = opened;
    await opened.pull(ref, { insecure: true });
    const runs = bench.repetitions ?? (bench.quick ? QUICK_RUNS : RUNS);
    // The first of each pays for making the bridge and for cold files.
    for (let run = -1; run < runs; run += 1) {
      const peer = await podman.run(ref, network, SAY);
      const times = {
        [WHOLE]: peer.end,
        'podman run, first output': peer.firstOutput,
        [OURS]: await startThroughHost(opened, ref, network),
        'garua run, first output': await startByCommand(ref, network, data),
      };
      if (run < 0) continue;
      for (const [who, seconds] of Object.entries(times)) samples[who]!.push(seconds);
    }
    bench.say(
      `${name}: ${JSON.stringify(Object.fromEntries(Object.entries(samples).map(([who, s]) => [who, median(s).toFixed(3)])))}`,
    );
    return samples;
  } finally {
    await host?.close();
    await daemon?.stop();
    await podman.close();
    await removeTree(folder);
  }
}

async function startThroughHost(host: Host, image: string, network: 'none' | 'bridge'): Promise<number> {
  const name = 'bench-start';
  const begin = process.hrtime.bigint();
  await host.deploy({ image, name, network, command: SAY }, { policy: 'never' });
  for await (const line of host.logs(name, { follow: true })) {
    if (line.text === 'ready') break;
  }
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  await host.remove(name, { force: true });
  return seconds;
}

async function startByCommand(image: string, network: string, data: string): Promise<number> {
  const name = 'bench-command';
  const run = [GARUA, 'run', image, '--name', name, '--net', network, '--pull', 'never', '--data', data];
  const { firstOutput } = await timeOutput(process.execPath, [...run, '--', ...SAY]);
  const host = await openHost({ socket: join(data, 'garua.sock') });
  await host.remove(name, { force: true });
  await host.close();
  return firstOutput;
}
