import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { AbortedError, DiskFullError, type GaruaError, ToolFailedError, toGaruaError } from '../../base';

/** Owners by number, holes, and every extended attribute, among them overlayfs's own. */
const COMMON = ['--numeric-owner', '--xattrs', '--xattrs-include=*'];
/** tar's word for a file that was changed by somebody while it was read, as in a volume that others use too. */
const CHANGED = 1;

/** The folder as a tar stream: whatever is in it, as it is. Sockets, which mean nothing without their process, stay out. */
export async function* packFolder(folder: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const tar = spawn('tar', ['--create', ...COMMON, '--sparse', '-C', folder, '.'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watch = watchOver(tar, signal);
  try {
    yield* tar.stdout;
    await watch.ended([0, CHANGED]);
  } finally {
    watch.end();
  }
}

/** Lays a tar stream's files into the folder. */
export async function unpackFolder(
  bytes: AsyncIterable<Uint8Array>,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const tar = spawn('tar', ['--extract', ...COMMON, '--preserve-permissions', '--same-owner', '-C', folder], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const watch = watchOver(tar, signal);
  // What it says as it ends tells more.
  tar.stdin.on('error', () => {});
  try {
    for await (const chunk of bytes) {
      if (tar.stdin.destroyed) break;
      if (!tar.stdin.write(chunk)) await Promise.race([once(tar.stdin, 'drain').catch(() => {}), watch.exit]);
    }
    tar.stdin.end();
    await watch.ended([0]).catch((error: GaruaError) => {
      throw /No space left on device|Disk quota exceeded/.test(error.message)
        ? new DiskFullError(folder)
        : error;
    });
  } finally {
    watch.end();
  }
}

/** Keeps what a tar says, and its end; kills it when the signal fires. */
function watchOver(tar: ChildProcess, signal: AbortSignal | undefined) {
  let said = '';
  tar.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4096);
  });
  const exit = new Promise<number | null | Error>((resolve) => {
    tar.once('close', resolve).once('error', resolve);
  });
  const onAbort = () => tar.kill('SIGKILL');
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    exit,
    async ended(allowed: number[]): Promise<void> {
      const status = await exit;
      if (signal?.aborted) throw new AbortedError('tar', { cause: signal.reason });
      if (status instanceof Error) throw toGaruaError(status, 'running tar');
      if (status === null || !allowed.includes(status)) throw new ToolFailedError('tar', status, said);
    },
    end(): void {
      signal?.removeEventListener('abort', onAbort);
      if (tar.exitCode === null) tar.kill('SIGKILL');
    },
  };
}
