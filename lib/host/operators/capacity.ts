import { availableParallelism, totalmem } from 'node:os';
import type { Resources } from '../../placement';

/** What the machine keeps for itself, Node-RED and the daemon: a part of its cores, and MiB. */
const KEPT_CORES = 0.2;
const KEPT_MEMORY = 256;
const MIB = 1 << 20;

/** What may be lent of this machine to operators. */
export function capacityOf(cores = availableParallelism(), bytes = totalmem()): Resources {
  return { cpu: cores * (1 - KEPT_CORES), memory: Math.max(0, bytes / MIB - KEPT_MEMORY) };
}
