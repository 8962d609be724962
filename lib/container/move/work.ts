import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { killFamily } from '../exec/family';
import { processesOf } from '../runtime/freezer';

const LOOK_MS = 50;

/** Processes of a container that do not descend from its first: commands that were sent into it, and probes. */
export async function strangersIn(id: string, first: number): Promise<number[]> {
  const members = await processesOf(id);
  const parents = new Map(await Promise.all(members.map(async (pid) => [pid, await parentOf(pid)] as const)));
  const descends = (pid: number): boolean => {
    const parent = parents.get(pid);
    return (
      pid === first || parent === first || (parent !== undefined && parents.has(parent) && descends(parent))
    );
  };
  // One that has no parent any more ended since.
  return members.filter((pid) => parents.get(pid) !== undefined && !descends(pid));
}

/** Waits until a probe that was cut off has left the container; what a user has sent into it may stay for long. */
export async function untilAlone(id: string, first: number, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline && (await strangersIn(id, first)).length > 0) await delay(LOOK_MS);
}

/**
 * Waits until nobody writes a checkpoint of the container any more. Programs that an earlier process here has started
 * go on after its end; what still runs at the limit hangs, and is killed.
 */
export async function untilNoCheckpoint(id: string, limitMs: number, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const writers = await checkpointsOf(id);
    if (writers.length === 0) return;
    if (performance.now() > deadline) for (const pid of writers) await killFamily(pid);
    await delay(LOOK_MS, undefined, { signal });
  }
}

/** A `runc checkpoint` of this container, and a CRIU that has outlived it. */
async function checkpointsOf(id: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const callers = await Promise.all(
    pids.map(async (pid) => {
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      return words.includes('checkpoint') && words.includes('--image-path') && words.includes(id) ? pid : 0;
    }),
  );
  const tracers = await Promise.all((await processesOf(id)).map(criuTracing));
  return [...new Set([...callers, ...tracers])].filter((pid) => pid > 0);
}

/** The CRIU that holds this process, or 0. */
async function criuTracing(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const tracer = Number(/^TracerPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  if (tracer === 0) return 0;
  const program = await readFile(`/proc/${tracer}/comm`, 'utf8').catch(() => '');
  return program.trim() === 'criu' ? tracer : 0;
}

async function parentOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // proc(5): after the name in parentheses come state and parent.
  return text === undefined ? undefined : Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
}
