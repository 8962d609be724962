import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import type { BenchCase } from '../harness/bench';
import { GARUA } from '../harness/garua';
import { type Daemon, startDaemon, waitFor } from '../harness/processes';
import { removeTree } from '../harness/work-area';

const COUNT = 50;
const LIMIT_MB = 3;
const SETTLE_MS = 5_000;

/** What 50 containers that do nothing cost beside their own processes: their monitors, and the host's growth. */
export const idleContainers: BenchCase = {
  name: 'idle-containers',
  summary: `memory of ${COUNT} idle containers beside their own processes, and the host's share of a core`,
  async run(bench) {
    await bench.images.ensure('busybox');
    const image = bench.images.reference('busybox');
    const folder = bench.area.folder('disk', 'idle-containers');
    const data = join(folder, 'data');
    let daemon: Daemon | undefined;
    let host: Host | undefined;
    try {
      daemon = startDaemon(process.execPath, [GARUA, 'host', '--data', data], join(folder, 'host.log'));
      const opened = await waitFor('the host', daemon, () => openHost({ socket: join(data, 'garua.sock') }));
      host = opened;
      await opened.pull(image, { insecure: true });
      // One has come and gone: what the first container loads is the host's own, not its containers'.
      await opened.deploy({ image, name: 'first', network: 'bridge', command: ['sleep', '1000'] });
      await opened.remove('first', { force: true, graceMs: 0 });
      await sleep(SETTLE_MS);
      const before = proportionalSet(daemon.pid);
      for (let index = 0; index < COUNT; index += 1) {
        const spec = { image, name: `idle-${index}`, network: 'bridge' as const, command: ['sleep', '1000'] };
        await opened.deploy(spec, { policy: 'never' });
      }
      await sleep(SETTLE_MS);
      const growth = proportionalSet(daemon.pid) - before;
      const monitors = monitorsOf(data).map(proportionalSet);
      if (monitors.length !== COUNT) throw new Error(`${monitors.length} monitors for ${COUNT} containers`);
      const watching = monitors.reduce((sum, bytes) => sum + bytes, 0);
      const cpu = processorSeconds(daemon.pid);
      await sleep(SETTLE_MS * 2);
      const idleShare = ((processorSeconds(daemon.pid) - cpu) / ((SETTLE_MS * 2) / 1000)) * 100;
      for (const { name } of await opened.containers())
        await opened.remove(name, { force: true, graceMs: 0 });
      const each = (watching + growth) / COUNT / 1e6;
      return {
        kind: 'facts',
        name: 'idle-containers',
        title: `${COUNT} idle containers on the bridge (proportional set size)`,
        date: new Date().toISOString(),
        facts: [
          { what: 'per container, in all', value: each, unit: 'MB' },
          { what: 'its monitor (conmon)', value: watching / COUNT / 1e6, unit: 'MB' },
          { what: 'growth of the host', value: growth / COUNT / 1e6, unit: 'MB' },
          { what: 'the host, idle, with all of them', value: idleShare, unit: '% of a core' },
        ],
        bars: [
          {
            claim: 'memory per idle container beside its own processes',
            value: each,
            limit: LIMIT_MB,
            unit: 'MB',
          },
        ],
      };
    } finally {
      await host?.close();
      await daemon?.stop();
      await removeTree(folder);
    }
  },
};

/** Bytes of a process, shared pages divided by those who share them (proc(5), smaps_rollup). */
function proportionalSet(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)![1]) * 1024;
}

function monitorsOf(data: string): number[] {
  const processes = readdirSync('/proc').map(Number).filter(Boolean);
  return processes.filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words[0]!.endsWith('conmon') && words.some((word) => word.startsWith(`${data}/`));
    } catch {
      return false;
    }
  });
}

/** User and system time (proc(5), stat), at the kernel's 100 ticks a second. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
