/** The command line as a user has it: a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(__dirname, '../../lib/cli/main.js');

export interface CliResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** `garua WORDS...` with a data directory; gives the process and its end. */
export function spawnGarua(
  dataDirectory: string,
  words: string[],
  env: NodeJS.ProcessEnv = process.env,
): { child: ChildProcess; result: Promise<CliResult> } {
  const end = words.indexOf('--');
  const at = end < 0 ? words.length : end;
  const all = [...words.slice(0, at), '--data', dataDirectory, ...words.slice(at)];
  const child = spawn(process.execPath, [MAIN, ...all], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const output = { stdout: '', stderr: '' };
  child.stdout!.setEncoding('utf8').on('data', (text) => {
    output.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    output.stderr += text;
  });
  const result = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...output }));
  });
  return { child, result };
}

export function garua(dataDirectory: string, ...words: string[]): Promise<CliResult> {
  return spawnGarua(dataDirectory, words).result;
}

/** A command that must succeed, with `--json`; gives its document. */
export async function garuaJson<T>(dataDirectory: string, ...words: string[]): Promise<T> {
  const end = words.indexOf('--');
  const at = end < 0 ? words.length : end;
  const result = await garua(dataDirectory, ...words.slice(0, at), '--json', ...words.slice(at));
  if (result.status !== 0) throw new Error(`garua ${words.join(' ')}: ${result.stderr}`);
  return JSON.parse(result.stdout) as T;
}
