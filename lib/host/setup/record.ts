import { join } from 'node:path';
import type { ChangeableMachine, Machine } from '../machine';

/** What the set-up brought to a machine, for those who want to be rid of it. */
export interface SetupRecord {
  /** Debian packages that were not there before. */
  packages: string[];
}

export function setupRecordPath(dataDirectory: string): string {
  return join(dataDirectory, 'setup.json');
}

/** Nothing when there is no record, or none that can be read: what it lists is only shown. */
export async function readSetupRecord(machine: Machine, dataDirectory: string): Promise<SetupRecord> {
  try {
    const found = JSON.parse(
      (await machine.read(setupRecordPath(dataDirectory))) ?? '{}',
    ) as Partial<SetupRecord>;
    return { packages: Array.isArray(found.packages) ? found.packages.map(String) : [] };
  } catch {
    return { packages: [] };
  }
}

/** Written before they are installed: half of them may be there when the installation fails. */
export async function recordPackages(
  machine: ChangeableMachine,
  dataDirectory: string,
  names: string[],
): Promise<void> {
  const { packages } = await readSetupRecord(machine, dataDirectory);
  const all = [...new Set([...packages, ...names])].sort();
  await machine.makeFolder(dataDirectory, 0o711);
  await machine.write(setupRecordPath(dataDirectory), `${JSON.stringify({ packages: all }, undefined, 2)}\n`);
}
