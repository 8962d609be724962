import { execute, ToolMissingError } from '../../../lib/base';
import type { Availability } from './puller';

/** Asks programs of a peer for their version; the last one's answer counts. All must be there. */
export async function toolVersion(
  debianPackage: string,
  ...commands: [string, ...string[]][]
): Promise<Availability> {
  let version = '';
  try {
    for (const [tool, ...args] of commands) {
      const { stdout } = await execute(tool, args);
      version = /\d+(\.\d+)+/.exec(stdout)?.[0] ?? stdout.trim();
    }
  } catch (error) {
    if (error instanceof ToolMissingError) {
      return { missing: `not installed (apt-get install --no-install-recommends ${debianPackage})` };
    }
    return { missing: `does not run: ${(error as Error).message}` };
  }
  return { version };
}
