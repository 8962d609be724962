import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from '../../base';
import { NetworkFailedError, NetworkUnsupportedError } from '../errors';

/** Debian's folder, and the one that the CNI project uses. */
const FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];
const TIMEOUT_MS = 20_000;

/** CNI specification 1.0.0, section 5: what a successful ADD answers. */
export interface CniResult {
  cniVersion: string;
  ips?: { address: string; gateway?: string }[];
}

export interface CniCall {
  command: 'ADD' | 'DEL';
  id: string;
  /** Path of the network namespace; empty when it is gone already. */
  namespace: string;
  config: { type: string } & Record<string, unknown>;
}

/**
 * Runs one CNI plugin (CNI specification 1.0.0, section 2).
 *
 * @throws {NetworkUnsupportedError} when it is not installed {NetworkFailedError} with what it says
 */
export async function callPlugin({ command, id, namespace, config }: CniCall): Promise<CniResult> {
  const folder = await pluginFolder(config.type);
  const env = {
    PATH: process.env.PATH,
    CNI_COMMAND: command,
    CNI_CONTAINERID: id,
    CNI_NETNS: namespace,
    CNI_IFNAME: 'eth0',
    CNI_PATH: folder,
  };
  const input = JSON.stringify(config);
  const { exitCode, stdout, stderr } = await execute(join(folder, config.type), [], {
    env,
    input,
    timeoutMs: TIMEOUT_MS,
    allowFailure: true,
  });
  if (exitCode !== 0) throw new NetworkFailedError(config.type, errorText(stdout) || stderr.trim());
  return stdout.trim() ? (JSON.parse(stdout) as CniResult) : { cniVersion: '1.0.0' };
}

async function pluginFolder(plugin: string): Promise<string> {
  for (const folder of FOLDERS) {
    try {
      await access(join(folder, plugin), constants.X_OK);
      return folder;
    } catch {
      // Not in this folder.
    }
  }
  throw new NetworkUnsupportedError(
    'network',
    `the bridge needs the CNI plugin ${plugin}, which is not installed`,
  );
}

function errorText(stdout: string): string {
  try {
    const { msg, details } = JSON.parse(stdout) as { msg?: string; details?: string };
    return [msg, details].filter(Boolean).join(': ');
  } catch {
    return stdout.trim();
  }
}
