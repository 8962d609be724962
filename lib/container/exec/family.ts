import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** A process that SIGKILL does not end hangs in the kernel; killing it again would not help. */
const KILL_ROUNDS = 20;

/**
 * Kills a process and all that it has started. runc makes each command the leader of a session of its own, whose
 * number is its pid as the host sees it.
 */
export async function killFamily(leader: number): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    const members = await familyOf(leader);
    if (members.length === 0) return;
    for (const pid of members) kill(pid);
    await delay(10);
  }
}

/** The living processes of a session, and their descendants that have left it. */
async function familyOf(leader: number): Promise<number[]> {
  const processes = new Map<number, { parent: number; session: number }>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // proc(5): after the name in parentheses come state, parent, process group and session.
    const [state, parent, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (state && state !== 'Z' && state !== 'X') {
      processes.set(Number(name), { parent: Number(parent), session: Number(session) });
    }
  }
  const belongs = (pid: number): boolean => {
    const process = processes.get(pid);
    if (!process) return false;
    return pid === leader || process.session === leader || belongs(process.parent);
  };
  return [...processes.keys()].filter(belongs);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
