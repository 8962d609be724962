import { readFile, rm } from 'node:fs/promises';
import { writeFileAtomic } from '../../base';
import type { ContainerFolder } from '../paths';
import type { Moving } from '../table';

/**
 * Says beside a container's files that it is on the move, for a host that loses its index: without it, a copy that
 * another host has or is to have would be found again as this host's own.
 */
export interface Marker extends Pick<Moving, 'role' | 'purpose'> {
  /** Leaving: what those who move it need in order to go on. */
  note?: unknown;
}

export function writeMarker({ marker }: ContainerFolder, value: Marker): Promise<void> {
  return writeFileAtomic(marker, JSON.stringify(value), 0o600);
}

export async function readMarker({ marker }: ContainerFolder): Promise<Marker | undefined> {
  try {
    return JSON.parse(await readFile(marker, 'utf8')) as Marker;
  } catch {
    return undefined;
  }
}

export async function removeMarker({ marker }: ContainerFolder): Promise<void> {
  await rm(marker, { force: true });
}
