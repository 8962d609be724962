import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';

const TMPFS_MAGIC = 0x01021994;
const SCRIPT = 'mount -t tmpfs tmpfs /run && exec "$@"';

/**
 * Runs this program again with a /run in memory, as a machine has it that was booted, for all who are measured: there
 * CRIU keeps what it has found out about the kernel. Answers whether this is the process that is to do the work.
 */
export function hasOwnRun(): boolean {
  if (statfsSync('/run').type === TMPFS_MAGIC || process.getuid?.() !== 0) return true;
  const words = ['--mount', 'sh', '-c', SCRIPT, 'sh'];
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', [...words, ...program], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
  return false;
}
