import { readFile, statfs } from 'node:fs/promises';
import { type DataDirectory, exists, formatSize, type GaruaError } from '../../base';
import { type ContainerEngine, Policy } from '../../container';
import { formatReference, parseReference } from '../../image';
import type { Checkpointer } from '../../migration/checkpoint';
import type { PreflightAnswer, PreflightRequest } from '../../migration/protocol';

/** What the answer is found with. */
export interface PreflightParts {
  directory: DataDirectory;
  engine: ContainerEngine;
  checkpointer: Checkpointer;
  fence: number;
  /** Bytes of memory that others on their way here will take. */
  promised: number;
}

/** Looks for all that stands in the way of a container that is to come here; nothing is done yet. */
export async function answerPreflight(
  { directory, engine, checkpointer, fence, promised }: PreflightParts,
  request: PreflightRequest,
): Promise<PreflightAnswer> {
  const found = await Promise.all([
    taken(engine, request),
    forbidden(engine, directory, request),
    missing(request),
    tooLarge(directory, request, promised),
  ]);
  const { facts } = request;
  const refusal = (error: GaruaError) => [error.message];
  const incompatible = facts ? await checkpointer.compare(facts).catch(refusal) : [];
  const refused = facts ? await unrestorable(directory) : [];
  return { problems: found.flat(), checkpointProblems: [...refused, ...incompatible], fence };
}

async function taken(engine: ContainerEngine, { record }: PreflightRequest): Promise<string[]> {
  const { name, ports } = record.spec;
  const containers = await engine.list();
  const problems: string[] = [];
  if (containers.some((one) => one.name === name))
    problems.push(`there is a container named ${name} already`);
  for (const { hostPort, protocol } of ports) {
    const holder = containers.find((one) =>
      one.ports.some((port) => port.hostPort === hostPort && (port.protocol ?? 'tcp') === protocol),
    );
    if (holder && holder.name !== name) problems.push(`port ${hostPort} is taken by ${holder.name}`);
  }
  return problems;
}

async function forbidden(
  engine: ContainerEngine,
  directory: DataDirectory,
  { record }: PreflightRequest,
): Promise<string[]> {
  const policy = await Policy.of(directory);
  return refusals(
    () => engine.validate(record.spec),
    () => policy.checkImage(formatReference(parseReference(record.image.ref))),
  );
}

/** What arrives with its memory may hold any processes, just like a checkpoint file. */
async function unrestorable(directory: DataDirectory): Promise<string[]> {
  const policy = await Policy.of(directory);
  return refusals(() => policy.checkRestore('taking in running processes'));
}

async function refusals(...checks: (() => unknown)[]): Promise<string[]> {
  const problems: string[] = [];
  for (const check of checks) {
    try {
      await check();
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return problems;
}

async function missing({ record, architecture }: PreflightRequest): Promise<string[]> {
  const { mounts, devices = [] } = record.spec;
  const bound = mounts.flatMap((mount) => (mount.type === 'bind' ? [mount.source] : []));
  const needed = [...bound, ...devices.map(({ source }) => source)];
  const there = await Promise.all(needed.map((path) => exists(path)));
  const problems = needed.filter((_, index) => !there[index]).map((path) => `there is no ${path}`);
  if (architecture !== process.arch)
    problems.push(`it is for ${architecture}, and the host is ${process.arch}`);
  return problems;
}

async function tooLarge(
  directory: DataDirectory,
  { files, memory }: PreflightRequest,
  promised: number,
): Promise<string[]> {
  const { bavail, bsize } = await statfs(directory.path);
  const problems: string[] = [];
  const disk = bavail * bsize;
  // What those need has in part come already; more than all of it cannot come.
  const free = Math.max(0, (await availableMemory()) - promised);
  if (files > disk) problems.push(`its files take ${formatSize(files)}, and ${formatSize(disk)} are free`);
  if (memory > free)
    problems.push(`it uses ${formatSize(memory)} of memory, and ${formatSize(free)} are free`);
  return problems;
}

/** Bytes that processes could still get. */
export async function availableMemory(): Promise<number> {
  const [, kilobytes] = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8')) ?? [];
  return Number(kilobytes ?? 0) * 1024;
}
