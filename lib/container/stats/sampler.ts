import { setTimeout as delay } from 'node:timers/promises';
import { throwIfAborted } from '../../base';
import type { ContainerStats } from '../container';
import { listSegments } from '../log/segments';
import type { ContainerFolder } from '../paths';
import { type CgroupUsage, readCgroup } from './cgroup';
import { readTraffic } from './network';

/** Between two samples from which a rate can be told. */
const SHORTEST_MS = 200;
/** A rate from a sample that is older than this would not be of now. */
const LONGEST_MS = 10_000;

export interface StatsSubject {
  id: string;
  name: string;
  pid: number;
  sharesNetwork: boolean;
  folder: ContainerFolder;
}

interface Sample {
  /** Milliseconds of a clock that nobody sets. */
  at: number;
  cpuSeconds: number;
}

/** Reads what containers use. It remembers the last samples, so that who asks every few seconds does not wait. */
export class StatsSampler {
  readonly #samples = new Map<string, Sample[]>();

  /** Those that end meanwhile are left out. */
  async read(subjects: StatsSubject[], signal?: AbortSignal): Promise<ContainerStats[]> {
    const ids = new Set(subjects.map(({ id }) => id));
    for (const id of this.#samples.keys()) if (!ids.has(id)) this.#samples.delete(id);
    const fresh = subjects.filter(({ id }) => !this.#before(id, performance.now()));
    if (fresh.length > 0) {
      await Promise.all(fresh.map(async ({ id }) => this.#remember(id, await readCgroup(id))));
      await delay(SHORTEST_MS, undefined, { signal }).catch(() => {});
    }
    throwIfAborted(signal, 'stats');
    const stats = await Promise.all(subjects.map((subject) => this.#stats(subject)));
    return stats.filter((entry) => entry !== undefined);
  }

  async #stats({ id, name, pid, sharesNetwork, folder }: StatsSubject): Promise<ContainerStats | undefined> {
    const [usage, traffic] = await Promise.all([
      readCgroup(id),
      sharesNetwork ? { receivedBytes: null, sentBytes: null } : readTraffic(pid),
    ]);
    if (Object.values(usage).every((value) => !value) && traffic.receivedBytes === null) return undefined;
    const time = new Date().toISOString();
    const logBytes = listSegments(folder).reduce((total, { size }) => total + size, 0);
    return { name, time, ...usage, cpus: this.#rate(id, usage), ...traffic, logBytes };
  }

  #rate(id: string, usage: CgroupUsage): number | null {
    const now = performance.now();
    const before = this.#before(id, now);
    this.#remember(id, usage);
    if (usage.cpuSeconds === null || !before) return null;
    return Math.max(0, (usage.cpuSeconds - before.cpuSeconds) / ((now - before.at) / 1000));
  }

  /** The last sample that is old enough. */
  #before(id: string, now: number): Sample | undefined {
    return this.#samples.get(id)?.findLast(({ at }) => now - at >= SHORTEST_MS && now - at <= LONGEST_MS);
  }

  #remember(id: string, { cpuSeconds }: CgroupUsage): void {
    if (cpuSeconds === null) return;
    const at = performance.now();
    const recent = (this.#samples.get(id) ?? []).filter((sample) => at - sample.at <= LONGEST_MS);
    // Who asks without end must not fill the memory.
    const spaced = recent.filter(
      (sample, index) => index === 0 || sample.at - recent[index - 1]!.at > SHORTEST_MS / 4,
    );
    this.#samples.set(id, [...spaced, { at, cpuSeconds }]);
  }
}
