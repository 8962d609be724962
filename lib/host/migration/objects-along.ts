import {
  AbortedError,
  type ErrorDocument,
  InvalidArgumentError,
  type LongCall,
  toGaruaError,
} from '../../base';
import type { Mesh } from '../../mesh';
import type { HostObjects } from '../objects';

/** Names the objects that a container works with, by commas: CIDs, or names such as `fog:quay/map`. */
const LABEL = 'garua.objects';
const CALL = 'migration.object';
/** A large object may have to come over a slow line, in milliseconds. */
const PATIENCE = 60 * 60_000;
const MOST = 100;

/** An object that was to be at the target's site before its container. */
export type ObjectAlong = { object: string; size: number } | { object: string; error: ErrorDocument };

/** The objects that the container's label names. @throws {InvalidArgumentError} for too many */
export function objectsOf(labels: Record<string, string>): string[] {
  const objects = new Set((labels[LABEL] ?? '').split(',').map((object) => object.trim()));
  objects.delete('');
  if (objects.size > MOST) {
    throw new InvalidArgumentError(
      `the label ${LABEL} names ${objects.size} objects`,
      `Name ${MOST} at most.`,
    );
  }
  return [...objects];
}

/** Brings objects to this host's site when another host asks for it that may place containers here. */
export function serveObjectsAlong(
  mesh: Mesh,
  objects: Pick<HostObjects, 'get'>,
  check: (peerId: string) => Promise<void>,
): void {
  mesh.serve(CALL, async (object: string, { peerId, signal }) => {
    await check(peerId);
    const { size } = await objects.get(String(object), null, { signal });
    return size;
  });
}

/**
 * Has the objects brought to the target's site while the container still runs here. One that cannot be brought keeps
 * no container from moving: it is fetched from afar, if at all, as it would be without this.
 *
 * @throws {AbortedError}
 */
export async function sendObjectsAlong(
  mesh: Mesh,
  peerId: string,
  objects: readonly string[],
  { signal, onProgress }: LongCall,
): Promise<ObjectAlong[]> {
  const sent: ObjectAlong[] = [];
  for (const object of objects) {
    onProgress?.({ phase: 'objects', done: sent.length, total: objects.length, unit: 'items' });
    try {
      sent.push({ object, size: await mesh.call(peerId, CALL, object, { signal, timeoutMs: PATIENCE }) });
    } catch (error) {
      if (signal?.aborted) throw new AbortedError('the objects that go along', { cause: error });
      sent.push({ object, error: toGaruaError(error, `bringing ${object}`).toJSON() });
    }
  }
  return sent;
}
