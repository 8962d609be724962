import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PlacementAnswer, PlacementModel } from '../../../lib/placement';
import { scaleOf } from '../../../lib/placement/model/evaluate';
import { narrow } from '../../../lib/placement/model/feasibility';
import { compile } from '../../../lib/placement/model/problem';
import { greedy } from '../../../lib/placement/search/baseline';
import type { HighsResult, HighsTask } from './highs-worker';

const GARUA = join(__dirname, '../../../lib/cli/main.js');
const SAMPLE_EVERY_MS = 20;

export interface Placed {
  answer: PlacementAnswer | undefined;
  problem?: string;
  /** Wall time of the process. */
  seconds: number;
  /** High-water mark of its resident set. */
  megabytes: number;
}

/** `garua place` in a process of its own, as a user runs it. */
export async function runGarua(model: PlacementModel): Promise<Placed> {
  const folder = mkdtempSync(join(tmpdir(), 'garua-bench-placement-'));
  try {
    const path = join(folder, 'model.json');
    writeFileSync(path, JSON.stringify(model));
    const begin = performance.now();
    const child = spawn(process.execPath, [GARUA, 'place', path, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let kilobytes = 0;
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const sampler = setInterval(() => {
      kilobytes = Math.max(kilobytes, highWaterMark(child.pid!));
    }, SAMPLE_EVERY_MS);
    const [status] = await once(child, 'close');
    clearInterval(sampler);
    const seconds = (performance.now() - begin) / 1000;
    const measured = { seconds, megabytes: kilobytes / 1000 };
    if (status !== 0) return { answer: undefined, problem: stderr.trim(), ...measured };
    return { answer: JSON.parse(stdout), ...measured };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** HiGHS' best in that time, in a thread, so that the benchmark can be interrupted. */
export async function runHighs(task: HighsTask): Promise<HighsResult> {
  const worker = new Worker(join(__dirname, 'highs-worker.js'), { workerData: task });
  const [result] = await once(worker, 'message');
  await worker.terminate();
  return result as HighsResult;
}

/** What greedy placement costs; undefined when it finds nothing feasible. */
export function runGreedy(model: PlacementModel): number | undefined {
  const problem = narrow(compile(model));
  if (typeof problem === 'string') return undefined;
  return greedy(problem, scaleOf(problem))?.objective;
}

function highWaterMark(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
