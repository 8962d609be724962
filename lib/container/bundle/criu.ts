import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Connections that nobody has accepted yet are left out of a checkpoint, or a busy server could never be moved; their
 * clients are told, and try again.
 */
const OPTIONS = 'skip-in-flight\n';

/**
 * Writes into `folder` what CRIU is told beside what runc tells it (criu(8), configuration files), and answers the
 * annotation by which runc finds it.
 */
export async function writeCriuOptions(folder: string): Promise<Record<string, string>> {
  const file = join(folder, 'criu.conf');
  await writeFile(file, OPTIONS, { mode: 0o600 });
  return { 'org.criu.config': file };
}
