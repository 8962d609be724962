import { setTimeout as delay } from 'node:timers/promises';
import { AbortedError, type GaruaError } from '../base';
import { collide } from './network/ports';
import { DEFAULT_GRACE_MS, startExisting, update } from './operations';
import type { EngineParts } from './parts';
import { isWithin } from './policy/glob';
import { isAlive, signalProcess } from './runtime/process-identity';
import type { CompleteSpec } from './spec/complete';
import type { CompleteMount } from './spec/mounts';
import { stopSignalNumber } from './stop-signal';
import type { ContainerRow } from './table';

const LOOK_MS = 25;

/**
 * Whether the new version may start while the old one still runs. Not when both want the same: a port of the host,
 * which for a container on the host's network may be any port, a device, or something that is written to, such as
 * the volume of a database.
 */
export function mayRunBeside(old: CompleteSpec, next: CompleteSpec): boolean {
  const onHost = [old, next].filter(({ network }) => network === 'host').length;
  if (onHost === 2 || (onHost === 1 && (old.ports.length > 0 || next.ports.length > 0))) return false;
  if (old.ports.some((one) => next.ports.some((other) => collide(one, other)))) return false;
  if (devicesOf(old).some((one) => devicesOf(next).some((other) => overlap(one, other)))) return false;
  return !old.mounts.some((one) => next.mounts.some((other) => isShared(one, other)));
}

function devicesOf({ devices = [] }: CompleteSpec): string[] {
  return devices.map(({ source }) => source);
}

/** Whether two mounts have files in common, and one of them may write to them. */
function isShared(one: CompleteMount, other: CompleteMount): boolean {
  if (one.type === 'tmpfs' || other.type === 'tmpfs' || (one.readOnly && other.readOnly)) return false;
  return overlap(one.source, other.source);
}

/** Whether two paths, or names, are the same, or one is a folder around the other. */
function overlap(one: string, other: string): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

/**
 * Ends a container in whose place another runs: the index does not know it any more. Its stop signal, the grace, then
 * all that is left of it goes.
 */
export async function retire(
  { lifecycle }: EngineParts,
  { id, process, stopSignal }: ContainerRow,
): Promise<void> {
  // From here on others of its bridge find the new one.
  await lifecycle.yieldName(id).catch(() => {});
  if (process && (await signalProcess(process, stopSignalNumber(stopSignal)))) {
    const deadline = performance.now() + DEFAULT_GRACE_MS;
    while (performance.now() < deadline && (await isAlive(process))) await delay(LOOK_MS);
  }
  await lifecycle.discard(id);
}

/** Starts a container again that was stopped for one that failed; false when that fails too. */
export async function bringBack(parts: EngineParts, old: ContainerRow): Promise<boolean> {
  const current = parts.table.byId(old.id);
  if (!current) return false;
  if (current.state === 'running') return true;
  try {
    await startExisting(parts, current, {});
    return true;
  } catch {
    // Its row says why it could not start.
    return false;
  }
}

/** Lets the status of the container that was kept say why the new version did not take its place. */
export function noteRollBack(parts: EngineParts, old: ContainerRow, error: GaruaError): void {
  const current = parts.table.byId(old.id);
  if (!current || error instanceof AbortedError) return;
  const { code, message } = error;
  update(parts, { ...current, rolledBack: { code, message, time: new Date().toISOString() } });
}
