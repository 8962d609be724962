import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { HostPlace } from '../../support/network';

/** Starts one of `children/` in a place of the network. */
export function startChild(place: HostPlace, script: string, ...words: string[]): ChildProcess {
  const program = [process.execPath, join(__dirname, 'children', script), ...words];
  return spawn('ip', ['netns', 'exec', place.namespace, ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
}
