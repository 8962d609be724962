import { readFile } from 'node:fs/promises';
import type { Departure } from '../../../container';
import { strangersIn, untilAlone } from '../../../container';

/** A probe that was cut off leaves the container in milliseconds. */
const ALONE_LIMIT_MS = 2_000;

/** In words, what a container has that CRIU cannot take along. */
export async function obstacles(container: Departure): Promise<string[]> {
  const { id, record } = container;
  const { devices = [], privileged } = record.spec;
  const reasons = devices.map(
    ({ source }) => `it uses the device ${source}, whose state stays with this host`,
  );
  if (privileged) reasons.push('it is privileged: nothing keeps it from what cannot be checkpointed');
  const first = container.firstProcess;
  if (first === undefined) return [...reasons, 'it has ended'];
  await untilAlone(id, first, ALONE_LIMIT_MS);
  for (const pid of await strangersIn(id, first)) {
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
    reasons.push(`a command was sent into it that still runs: ${name || 'process'} (${pid})`);
  }
  return reasons;
}
