import type { ContainerRecord } from '../../container';
import type { CheckpointFacts } from '../checkpoint';

/**
 * A checkpoint file: all of a container that another host, or this one later, needs so that it goes on where it was.
 * It holds the memory of its processes, so also their secrets, and whoever restores one runs what it says: it is as
 * good as root.
 *
 * After a line that names the format comes one zstd stream of frames, see frames.ts: first the header, then for each
 * part its name, its bytes and its end, and at last a digest of all that came before. The parts are `upper`, what the
 * container has written, and `volume:NAME`, both as tar; `log`, the end of its log; `images`, its processes, as tar.
 */
export interface CheckpointHeader {
  version: 1;
  /** ISO 8601. */
  createdAt: string;
  /** The host it was on. */
  host: string;
  /** Of Garua. */
  madeBy: string;
  facts: CheckpointFacts;
  container: Pick<ContainerRecord, 'spec' | 'image'>;
  /** Its address on the bridge; null without one. */
  address: string | null;
  /** Bytes of its processes' images. */
  imageBytes: number;
}

/** The line with which every checkpoint file begins. */
export const FORMAT_LINE = 'garua checkpoint 1\n';
export const LONGEST_LOG_TAIL = 1 << 20;
