import { readFile } from 'node:fs/promises';
import { currentBootId } from '../../base';

/** Tells a process from a later one that got the same number. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks between boot and the start of the process. */
  startTicks: number;
  /** Changes with every boot of the kernel. */
  bootId: string;
}

/** Undefined when there is no such process, or only its zombie. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // proc(5): the name, in parentheses, may hold anything; state is field 3, start time field 22.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startTicks: Number(fields[19]), bootId: currentBootId() };
}

/** Whether exactly this process is still there. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  if (process.bootId !== currentBootId()) return false;
  return (await identifyProcess(process.pid))?.startTicks === process.startTicks;
}

/** Sends a signal to exactly this process; false when it has gone. */
export async function signalProcess(
  target: ProcessIdentity,
  signal: NodeJS.Signals | number,
): Promise<boolean> {
  if (!(await isAlive(target))) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
