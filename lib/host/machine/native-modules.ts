import { join } from 'node:path';
import { execute, ToolFailedError } from '../../base';

/** Built files lie in dist/lib/host/machine. */
const PACKAGE = join(__dirname, '../../../..');

/** What makes each module load its binary, which some do only at their first use. */
const USES: Record<string, string> = {
  'better-sqlite3': "new (require('better-sqlite3'))(':memory:').close()",
};

/**
 * Why a native module does not load; undefined when it does. Tried in a process of its own, since a binary
 * built for another Node.js may end the process instead of failing.
 */
export async function moduleTrouble(name: string): Promise<string | undefined> {
  const program = USES[name] ?? `require('${name}')`;
  try {
    await execute(process.execPath, ['-e', program], { cwd: PACKAGE, timeoutMs: 10_000 });
    return undefined;
  } catch (error) {
    if (!(error instanceof ToolFailedError)) return (error as Error).message;
    const line = /^\w*Error: .*$/m.exec(error.stderr)?.[0];
    return line ?? `it ended Node.js (status ${error.exitCode ?? 'killed'})`;
  }
}
