import type { ContainerRecord } from '../lifecycle';

/** Named volumes, each once, in the order of the mounts. */
export function volumesOf({ spec }: ContainerRecord): string[] {
  const names = spec.mounts.flatMap((mount) => (mount.type === 'volume' ? [mount.source] : []));
  return [...new Set(names)];
}
