import { constants } from 'node:fs';
import { open, readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { waitingBytes } from '../../base';
import type { ContainerFolder } from '../paths';
import { findMonitor } from '../runtime/conmon';

/** conmon reads within milliseconds; where it does not, some lines may come twice in the log after the move. */
const LIMIT_MS = 1_000;
const LOOK_MS = 2;

/**
 * Waits until conmon has taken all that a frozen container has written. What is still in its pipes at a checkpoint would
 * come twice: from conmon here, and out of the checkpoint where it goes on.
 */
export async function untilLogged(folder: ContainerFolder): Promise<void> {
  const monitor = await findMonitor(folder);
  if (!monitor) return;
  const deadline = performance.now() + LIMIT_MS;
  while (performance.now() < deadline && (await hasUnread(`/proc/${monitor.pid}/fd`))) await delay(LOOK_MS);
}

async function hasUnread(descriptors: string): Promise<boolean> {
  for (const name of await readdir(descriptors).catch(() => [])) {
    const path = `${descriptors}/${name}`;
    if (!(await readlink(path).catch(() => '')).startsWith('pipe:')) continue;
    const pipe = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
    try {
      if (pipe && waitingBytes(pipe.fd) > 0) return true;
    } finally {
      await pipe?.close();
    }
  }
  return false;
}
