import { type SpawnOptions, spawn } from 'node:child_process';
import { AbortedError, GaruaError } from './errors';

/** The program is not installed, or not on PATH. */
export class ToolMissingError extends GaruaError {
  constructor(tool: string, options?: ErrorOptions) {
    super(
      'ERR_TOOL_MISSING',
      `the program ${tool} is not installed`,
      `Install it (on Debian: apt-get install ${tool}), or run garua doctor to see all that is missing.`,
      options,
    );
  }
}

/** The program ended with a status other than 0. */
export class ToolFailedError extends GaruaError {
  constructor(
    tool: string,
    readonly exitCode: number | null,
    readonly stderr: string,
  ) {
    const lastLine = stderr.trim().split('\n').at(-1) ?? '';
    super(
      'ERR_TOOL_FAILED',
      `${tool} failed (status ${exitCode ?? 'killed'}): ${lastLine || 'it said nothing'}`,
      'The message above is from the program itself; garua doctor checks the host.',
    );
  }
}

/** The program did not end in its time. */
export class ToolTimeoutError extends GaruaError {
  constructor(
    tool: string,
    readonly timeoutMs: number,
  ) {
    super(
      'ERR_TOOL_TIMEOUT',
      `${tool} did not end within ${timeoutMs} ms and was killed`,
      'The host may be overloaded, or the program hangs; try again, then run garua doctor.',
    );
  }
}

export interface ExecuteOptions {
  /** Time limit in milliseconds; the whole process group is killed after it. Default 30,000. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
  input?: string | Uint8Array;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Bytes of output kept per stream; more is dropped. Default 4 MiB. */
  maxOutput?: number;
  /** Resolve, not reject, when the status is not 0. */
  allowFailure?: boolean;
}

export interface ExecuteResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end, without a shell and with a time limit.
 *
 * @throws {ToolMissingError} {ToolFailedError} {ToolTimeoutError} {AbortedError}
 */
export function execute(tool: string, args: string[], options: ExecuteOptions = {}): Promise<ExecuteResult> {
  const { timeoutMs = 30_000, maxOutput = 4 << 20, signal } = options;
  if (signal?.aborted) return Promise.reject(new AbortedError(tool, { cause: signal.reason }));
  return new Promise((resolve, reject) => {
    const spawnOptions: SpawnOptions = { stdio: ['pipe', 'pipe', 'pipe'], detached: true };
    if (options.env) spawnOptions.env = options.env;
    if (options.cwd) spawnOptions.cwd = options.cwd;
    const child = spawn(tool, args, spawnOptions);
    let failure: GaruaError | undefined;
    const killGroup = (error: GaruaError) => {
      failure ??= error;
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended by itself in the meantime.
      }
    };
    const timer = setTimeout(() => killGroup(new ToolTimeoutError(tool, timeoutMs)), timeoutMs);
    const onAbort = () => killGroup(new AbortedError(tool, { cause: signal?.reason }));
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const stdout = collect(child.stdout!, maxOutput);
    const stderr = collect(child.stderr!, maxOutput);
    child.on('error', (error: NodeJS.ErrnoException) => {
      settle();
      reject(error.code === 'ENOENT' ? new ToolMissingError(tool, { cause: error }) : error);
    });
    child.on('close', (exitCode) => {
      settle();
      if (failure) return reject(failure);
      const result = { exitCode, stdout: stdout(), stderr: stderr() };
      if (exitCode !== 0 && !options.allowFailure) {
        return reject(new ToolFailedError(tool, exitCode, result.stderr || result.stdout));
      }
      resolve(result);
    });
    // A program that does not read its input closes the pipe early; its status says what matters.
    child.stdin!.on('error', () => {});
    child.stdin!.end(options.input);
  });
}

function collect(stream: NodeJS.ReadableStream, maxOutput: number): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size >= maxOutput) return;
    chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).subarray(0, maxOutput).toString('utf8');
}
