import { readFile } from 'node:fs/promises';
import type { RuntimeConfig } from '../bundle/oci';
import { resolveUser } from '../bundle/user';
import type { ExecOptions } from '../container';
import { invalidField } from '../errors';
import type { ContainerFolder } from '../paths';
import { absolutePath, textList } from '../spec/checks';
import { checkEnvironment, checkUser } from '../spec/identity';

/** A process as the OCI runtime specification writes it. */
export type RuntimeProcess = RuntimeConfig['process'];

/** @throws {InvalidArgumentError} */
export function checkExec(command: string[], options: ExecOptions): void {
  const { env, user, workingDirectory, input } = options;
  textList(command, 'command');
  if (command.length === 0) throw invalidField('command', 'is empty');
  if (env !== undefined) checkEnvironment(env, 'env');
  if (user !== undefined) checkUser(user, 'user');
  if (workingDirectory !== undefined) absolutePath(workingDirectory, 'workingDirectory');
  if (input !== undefined && typeof input !== 'string') throw invalidField('input', 'is not text');
}

/**
 * One more process of a container: as its first one, with the same capabilities and limits, but for what the caller
 * wants otherwise.
 *
 * @throws {UserNotFoundError}
 */
export async function execProcess(
  folder: ContainerFolder,
  image: string,
  command: string[],
  options: ExecOptions,
): Promise<RuntimeProcess> {
  const { process } = JSON.parse(await readFile(folder.config, 'utf8')) as RuntimeConfig;
  const { env = {}, user, workingDirectory } = options;
  const own: Record<string, string> = {};
  let identity = process.user;
  if (user !== undefined) {
    const { home, ...ids } = await resolveUser(folder.root, user, [], image);
    identity = { ...process.user, ...ids };
    own.HOME = home;
  }
  const variables = new Map(process.env.map((entry) => entry.split(/=(.*)/s, 2) as [string, string]));
  for (const [name, value] of Object.entries({ ...own, ...env })) variables.set(name, value);
  return {
    ...process,
    user: identity,
    args: command,
    env: [...variables].map(([name, value]) => `${name}=${value}`),
    cwd: workingDirectory ?? process.cwd,
  };
}
