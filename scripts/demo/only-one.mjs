import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../set-up/shared.mjs';

/** Two of the same demo would take each other's ports and state away. @returns the file that says so, to be removed */
export function becomeOnlyOne(folder, script, command) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'start.pid');
  const other = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const running = `/proc/${other}/cmdline`;
  if (other && existsSync(running) && readFileSync(running, 'utf8').includes(script)) {
    throw new SetupError(
      'ERR_DEMO_RUNS_ALREADY',
      `${command} runs already in this checkout (process ${other})`,
      'Use the editor that it has printed, or end it with Ctrl+C there.',
    );
  }
  writeFileSync(file, String(process.pid));
  return file;
}
