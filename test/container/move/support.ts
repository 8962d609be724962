import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Arrival, ContainerRecord, Departure } from '../../../lib/container';
import { findTool } from '../../../lib/container/runtime/tools';
import type { ContainerFixture, TestImage } from '../fixture';

const run = promisify(execFile);

/** Says why the tests of a suite are skipped where there is no CRIU, and lets them fail where it is wanted. */
export async function needsCriu(context: Mocha.Context): Promise<void> {
  const criu = await findTool('criu').catch(() => undefined);
  if (criu) return;
  console.log('      skipped: this machine has no criu');
  context.skip();
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
