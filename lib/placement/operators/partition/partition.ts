import { InvalidArgumentError } from '../../../base';
import { hashFraction } from './hash';

/** A keyed operator's state is cut into this many parts, which move as wholes. Fixed: state on disk knows it. */
export const PARTITIONS = 64;

/** One running copy of an operator. */
export interface PartitionInstance {
  id: string;
  /** Its part of the load in proportion to the others'. Default 1. */
  weight?: number | undefined;
}

/** A partition that gets another instance. */
export interface PartitionMove {
  partition: number;
  /** Undefined when none had it. */
  from: string | undefined;
  to: string;
}

/** The partition of a key, 0 to 63. */
export function partitionOf(key: string): number {
  return Math.floor(hashFraction(key) * PARTITIONS);
}

/**
 * Gives each partition an instance by weighted rendezvous hashing (Thaler and Ravishankar, 1998; the weights
 * as in Schindelhauer and Schomaker, 2005): whoever joins takes partitions only for itself, whoever leaves
 * gives up only its own, and all hosts find the same without talking to each other.
 *
 * @returns the ids of instances by partition.
 * @throws {InvalidArgumentError} without instances, for a weight that is not above 0, or for an id given twice.
 */
export function assignPartitions(instances: readonly PartitionInstance[]): string[] {
  if (instances.length === 0) throw new InvalidArgumentError('an operator needs at least one instance');
  const ids = new Set<string>();
  for (const { id, weight = 1 } of instances) {
    if (!(weight > 0 && Number.isFinite(weight))) {
      throw new InvalidArgumentError(`the weight ${weight} of instance ${id} is not above 0`);
    }
    if (ids.has(id)) throw new InvalidArgumentError(`instance ${id} is listed twice`);
    ids.add(id);
  }
  return Array.from({ length: PARTITIONS }, (_, partition) => highest(instances, partition));
}

/** What changes hands between two assignments. */
export function partitionMoves(
  before: readonly (string | undefined)[],
  after: readonly string[],
): PartitionMove[] {
  return after.flatMap((to, partition) => {
    const from = before[partition];
    return from === to ? [] : [{ partition, from, to }];
  });
}

/** Ties, which need two equal hashes, go to the smaller id: the order of the list must not matter. */
function highest(instances: readonly PartitionInstance[], partition: number): string {
  let best = '';
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const { id, weight = 1 } of instances) {
    const score = -weight / Math.log(hashFraction(`${partition}/${id}`));
    if (score < bestScore || (score === bestScore && id > best)) continue;
    best = id;
    bestScore = score;
  }
  return best;
}
