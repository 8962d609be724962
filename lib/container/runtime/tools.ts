import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolMissingError } from '../../base';

/**
 * The full path of a program on PATH.
 *
 * @throws {ToolMissingError}
 */
export async function findTool(tool: string): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const path = join(folder || '.', tool);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  throw new ToolMissingError(tool);
}
