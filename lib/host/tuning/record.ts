import { join } from 'node:path';
import { GaruaError } from '../../base';
import type { Edit } from '../doctor/check';
import type { ChangeableMachine, Machine } from '../machine';

/** One change that was made, or was about to be when the machine went off. */
export interface FixRecord {
  id: string;
  what: string;
  undo: string;
  /** Of each file: what it held before (null: there was none) and what it holds since. */
  edits: (Edit & { before: string | null })[];
  commands: string[][];
}

/** The record of what was changed cannot be understood. */
export class TuningRecordError extends GaruaError {
  constructor(path: string, options?: ErrorOptions) {
    super(
      'ERR_TUNING_RECORD',
      `${path}, which says what was changed on this machine, is not readable`,
      'Undo by hand what it lists, then remove it.',
      options,
    );
  }
}

export function recordPath(dataDirectory: string): string {
  return join(dataDirectory, 'tuning.json');
}

/** @throws {TuningRecordError} */
export async function readRecord(machine: Machine, dataDirectory: string): Promise<FixRecord[]> {
  const path = recordPath(dataDirectory);
  const text = await machine.read(path);
  if (text === undefined) {
    if (await machine.exists(path)) throw new TuningRecordError(path);
    return [];
  }
  try {
    return (JSON.parse(text) as { fixes: FixRecord[] }).fixes;
  } catch (cause) {
    throw new TuningRecordError(path, { cause });
  }
}

/** An empty one is removed. */
export async function writeRecord(
  machine: ChangeableMachine,
  dataDirectory: string,
  fixes: FixRecord[],
): Promise<void> {
  const path = recordPath(dataDirectory);
  if (fixes.length === 0) return machine.remove(path);
  await machine.makeFolder(dataDirectory, 0o711);
  await machine.write(path, `${JSON.stringify({ fixes }, undefined, 2)}\n`);
}
