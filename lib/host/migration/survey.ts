import { execute } from '../../base';
import type { ContainerEngine, Departure } from '../../container';
import type { Checkpointer } from '../../migration/checkpoint';
import type { MigrationMode, PreflightAnswer, PreflightRequest } from '../../migration/protocol';

/** An estimate is not worth more, in milliseconds. */
const COUNT_MS = 20_000;

/** What is known before a container moves. */
export interface Survey {
  start: 'restore' | 'fresh';
  /** In words, all that stands in the way. */
  problems: string[];
  /** The highest that the target knows for its name. */
  fence: number;
  /** Bytes. */
  memory: number;
  files: number;
}

/** Looks at the container, and asks the target, before anything is moved. */
export async function surveyMove(
  { checkpointer, engine }: { checkpointer: Checkpointer; engine(): Promise<ContainerEngine> },
  departure: Departure,
  mode: MigrationMode,
  ask: (request: PreflightRequest) => Promise<PreflightAnswer>,
): Promise<Survey> {
  const { name, record, upper, volumes } = departure;
  const obstacles = mode === 'elastic' ? [] : await checkpointer.check(departure);
  const facts = mode === 'elastic' || obstacles.length > 0 ? null : await checkpointer.facts();
  const stats = (await (await engine()).stats()).find((one) => one.name === name);
  const memory = stats?.memory ?? 0;
  const files = mode === 'elastic' ? 0 : await sizeOf([upper, ...volumes.map(({ path }) => path)]);
  const portable = { ...record, layers: [] };
  const answer = await ask({ name, record: portable, architecture: process.arch, facts, memory, files });
  const unable = [...obstacles, ...answer.checkpointProblems];
  const problems = [...answer.problems, ...(mode === 'live' ? unable : [])];
  // Both copies run for a while, so that no moment would be right to copy them, and the old ones would be removed.
  if (mode === 'elastic' && volumes.length > 0) problems.push('elastic mode would leave its volumes behind');
  const start = mode === 'elastic' || unable.length > 0 ? 'fresh' : 'restore';
  return { start, problems, fence: answer.fence, memory, files };
}

/** Bytes that folders take on the disk; of one that has too many files to be counted in time nothing is known: 0. */
async function sizeOf(folders: string[]): Promise<number> {
  const sizes = await Promise.all(
    folders.map(async (folder) => {
      // A file may vanish while it walks.
      const counting = execute('du', ['-sxk', '--', folder], { timeoutMs: COUNT_MS, allowFailure: true });
      const { stdout } = await counting.catch(() => ({ stdout: '' }));
      return Number.parseInt(stdout, 10) || 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0) * 1024;
}
