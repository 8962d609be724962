import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Arrival, ContainerRecord, Departure } from '../../../lib/container';
import type { ContainerFixture, TestImage } from '../fixture';

const run = promisify(execFile);

const hasCriu = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder || '.', 'criu')));

/** A suite that needs CRIU. Where there is none it says so; a machine that was set up for tests has one. */
export function describeWithCriu(title: string, suite: (this: Mocha.Suite) => void): void {
  if (hasCriu) describe(title, suite);
  else console.log(`  ${title}: skipped, for this machine has no criu`);
}

/** Copies all that a container has written, as it is in this moment. */
export async function copyFiles(
  from: Departure,
  to: Pick<Arrival, 'upper' | 'volumes' | 'log'>,
): Promise<void> {
  await copyTree(from.upper, to.upper);
  for (const [index, { path }] of from.volumes.entries()) await copyTree(path, to.volumes[index]!.path);
  const log = await Promise.all(from.logFiles().map((file) => readFile(file)));
  await writeFile(to.log, Buffer.concat(log), { mode: 0o600 });
}

async function copyTree(from: string, to: string): Promise<void> {
  await run('cp', ['-a', '--', `${from}/.`, to]);
}

/** The record as another data directory needs it: with its own layers, and another name. */
export async function recordFor(
  fixture: ContainerFixture,
  { spec, image }: ContainerRecord,
  test?: TestImage,
): Promise<ContainerRecord> {
  const { layers } = test ?? (await fixture.image());
  return { spec, image, layers };
}
