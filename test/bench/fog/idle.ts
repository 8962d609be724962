import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase } from '../harness/bench';
import { withFog } from './with-fog';

const SETTLE_MS = 60_000;
const WATCH_MS = 120_000;

/** What six hosts that do nothing cost. */
export const idleHosts: BenchCase = {
  name: 'idle-hosts',
  summary: 'memory and processor time of hosts of a fog that do nothing',
  quick: true,
  run: (bench) =>
    withFog(bench, 'fog-idle', async ({ hosts }) => {
      await sleep(bench.quick ? SETTLE_MS / 3 : SETTLE_MS);
      const before = hosts.map(({ pid }) => processorSeconds(pid));
      const started = performance.now();
      await sleep(bench.quick ? WATCH_MS / 2 : WATCH_MS);
      const seconds = (performance.now() - started) / 1000;
      const shares = hosts.map(({ pid }, index) => (processorSeconds(pid) - before[index]!) / seconds);
      const memory = hosts.map(({ pid }) => residentBytes(pid) / 1e6);
      const [share, resident] = [Math.max(...shares) * 100, Math.max(...memory)];
      return {
        kind: 'facts',
        name: 'idle-hosts',
        title: 'Idle hosts of a fog of six (the most of any)',
        date: new Date().toISOString(),
        facts: [
          { what: 'resident memory', value: resident, unit: 'MB' },
          { what: 'least resident memory', value: Math.min(...memory), unit: 'MB' },
          { what: 'processor', value: share, unit: '% of a core' },
          { what: 'least processor', value: Math.min(...shares) * 100, unit: '% of a core' },
        ],
        bars: [
          { claim: 'resident memory of an idle host', value: resident, limit: 130, unit: 'MB' },
          { claim: 'processor of an idle host', value: share, limit: 1, unit: '% of a core' },
        ],
      };
    }),
};

/** User and system time (proc(5), stat), at the kernel's 100 ticks a second. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kilobytes) * 1024;
}
