import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type ErrorDocument, PermissionError, ToolMissingError, toGaruaError } from '../../lib/base';
import type { HostInfo } from '../../lib/host';
import type { HostLease } from './host-pool';

/** What the dialog shows about a host. */
export interface HostStatusDocument {
  /** `limited`: it answers, but cannot run containers yet. */
  state: 'ready' | 'limited' | 'unreachable' | 'undeployed';
  info?: HostInfo;
  /** Whether the host runs inside this Node-RED. */
  embedded?: boolean;
  problems: ErrorDocument[];
}

/** What a container needs from the machine; the daemon checks its own. */
const PROGRAMS = ['runc', 'conmon'];

/** Asks the host itself, or this process as long as there is no host to ask. */
export async function hostStatus(lease: HostLease | undefined): Promise<HostStatusDocument> {
  if (!lease) return { state: 'undeployed', problems: await problemsHere() };
  try {
    const info = await (await lease.host()).info();
    const embedded = info.pid === process.pid;
    const problems = embedded ? await problemsHere() : [];
    return { state: problems.length > 0 ? 'limited' : 'ready', info, embedded, problems };
  } catch (error) {
    return { state: 'unreachable', problems: [toGaruaError(error, 'the host').toJSON()] };
  }
}

async function problemsHere(): Promise<ErrorDocument[]> {
  const problems: ErrorDocument[] = [];
  if (process.getuid?.() !== 0) {
    problems.push(
      new PermissionError(
        'this Node-RED may not start containers, since it does not run as root',
        'Start the daemon (garua host) as root and add this user to the group garua.',
      ).toJSON(),
    );
  }
  for (const program of PROGRAMS) {
    if (!(await isInstalled(program))) problems.push(new ToolMissingError(program).toJSON());
  }
  return problems;
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
