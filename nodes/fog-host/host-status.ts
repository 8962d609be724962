import { toGaruaError } from '../../lib/base';
import { examine, type HostInfo, type Machine } from '../../lib/host';
import type { HostLease } from './host-pool';

/** Something that is missing, and how to get it. */
export interface HostProblem {
  what: string;
  hint: string;
}

/** What the dialog shows about a host. */
export interface HostStatusDocument {
  /** `limited`: it answers, but cannot do everything; `undeployed`: there is no host to ask yet. */
  state: 'ready' | 'limited' | 'unreachable' | 'undeployed';
  info?: HostInfo;
  /** Whether the host runs inside this Node-RED. */
  embedded?: boolean;
  problems: HostProblem[];
}

/** Asks the host itself, or looks at this machine as long as there is no host to ask. */
export async function hostStatus(
  lease: HostLease | undefined,
  machine?: Machine,
): Promise<HostStatusDocument> {
  if (!lease) return { state: 'undeployed', problems: await problemsOf(machine) };
  try {
    const info = await (await lease.host()).info();
    const embedded = info.pid === process.pid;
    // A daemon may do what this process may not.
    const problems = embedded ? await problemsOf(machine, info.dataDirectory) : [];
    return { state: problems.length > 0 ? 'limited' : 'ready', info, embedded, problems };
  } catch (error) {
    const { message, hint } = toGaruaError(error, 'opening the host');
    return { state: 'unreachable', problems: [{ what: message, hint }] };
  }
}

async function problemsOf(machine?: Machine, dataDirectory?: string): Promise<HostProblem[]> {
  const { checks } = await examine({ dataDirectory, machine });
  return checks
    .filter(({ status }) => status !== 'ok')
    .map(({ id, detail, why, fix }) => ({ what: `${id}: ${detail}. ${why}`, hint: fix ?? '' }));
}
