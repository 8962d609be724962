import { cpus as processors } from 'node:os';
import type { ContainerSpec } from '../container';
import { invalidField } from '../errors';
import { wholeNumber } from './checks';

/** Below this, runc's own start does not fit into the limit. */
const MINIMUM_MEMORY = 6 * 2 ** 20;
/** The kernel's shortest quota is 1 ms of each 100 ms. */
const LEAST_CPUS = 0.01;

export function checkMemory(value: unknown, field: string): void {
  if (!Number.isSafeInteger(value)) throw invalidField(field, `${value} is not a whole number of bytes`);
  if ((value as number) < MINIMUM_MEMORY) {
    throw invalidField(field, `${value} bytes are too few to start anything`, 'Give it at least 6m.');
  }
}

export const checkSwap = wholeNumber(0, Number.MAX_SAFE_INTEGER, 'a number of bytes');
export const checkPids = wholeNumber(1, 4_194_304, 'a number of processes');
export const checkIoWeight = wholeNumber(10, 1000, 'a weight');

export function checkCpus(value: unknown, field: string): void {
  const most = processors().length;
  if (typeof value !== 'number' || !(value >= LEAST_CPUS)) {
    throw invalidField(field, `${value} is not a number of cores (from ${LEAST_CPUS})`);
  }
  if (value > most) throw invalidField(field, `${value} is more than the ${most} cores of this host`);
}

/** What no field alone can tell. @throws {InvalidArgumentError} */
export function checkLimitsTogether({ swap, memory }: ContainerSpec): void {
  if (swap !== undefined && memory === undefined) {
    throw invalidField('swap', 'is limited only together with memory', 'Set memory too.');
  }
}
