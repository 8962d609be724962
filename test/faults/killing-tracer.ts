import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';

/** Whose calls count: those of all threads, also of new ones, or of these. Each thread counts its own. */
export type Threads = 'all' | 'main' | 'others';

/**
 * Has strace kill a process before one of its threads makes its nth system call of a kind from now on. Resolves when
 * every thread that counts is watched.
 */
export async function killAtCall(pid: number, threads: Threads, call: string, count: number): Promise<void> {
  const rule = ['-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${count}`];
  const ids =
    threads === 'all'
      ? [String(pid)]
      : readdirSync(`/proc/${pid}/task`).filter((id) => (id === String(pid)) === (threads === 'main'));
  const follow = threads === 'all' ? ['-f'] : [];
  const tracer = spawn('strace', [...follow, ...rule, ...ids.flatMap((id) => ['-p', id])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    // It goes on being read: strace speaks of new threads as well.
    tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.match(/ attached\b/g)?.length === ids.length) resolve();
    });
    tracer.once('error', reject);
    tracer.once('close', () => reject(new Error(`strace could not watch: ${said}`)));
  });
}
