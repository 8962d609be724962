import { arch, availableParallelism, cpus, freemem, release, totalmem } from 'node:os';
import { VERSION } from '../../base';
import type { HostAbilities, HostLoad } from '../mesh';

const SMOOTHING = 0.3;

export function measureAbilities(criu: string | null): HostAbilities {
  return {
    arch: arch(),
    kernel: release(),
    criu,
    cpus: availableParallelism(),
    memory: totalmem(),
    version: VERSION,
  };
}

/** Measures how busy the machine is, between one look and the next. */
export class LoadMeter {
  #idle = 0;
  #total = 0;
  #freeCpus: number | undefined;

  read(): HostLoad {
    let idle = 0;
    let total = 0;
    const cores = cpus();
    for (const { times } of cores) {
      idle += times.idle;
      total += times.user + times.nice + times.sys + times.irq + times.idle;
    }
    if (total > this.#total) {
      const free = ((idle - this.#idle) / (total - this.#total)) * cores.length;
      this.#freeCpus =
        this.#freeCpus === undefined ? free : this.#freeCpus + SMOOTHING * (free - this.#freeCpus);
    }
    this.#idle = idle;
    this.#total = total;
    return { freeCpus: Math.round((this.#freeCpus ?? 0) * 100) / 100, freeMemory: freemem() };
  }
}
