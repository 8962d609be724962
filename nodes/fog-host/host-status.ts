import { toGaruaError } from '../../lib/base';
import { type CheckResult, type Examination, examine, type HostInfo } from '../../lib/host';
import type { HostLease } from './host-pool';
import { inTime } from './in-time';

/** Milliseconds until the dialog gets an answer, with what is known by then. */
const PATIENCE = 10_000;

/** What the dialog shows about a host. */
export interface HostStatusDocument {
  /** `limited`: it answers, but cannot do everything; `undeployed`: there is no host to ask yet. */
  state: 'ready' | 'limited' | 'unreachable' | 'undeployed';
  info?: HostInfo;
  /** Whether the host runs inside this Node-RED. */
  embedded?: boolean;
  /** What the doctor found, the worst first. */
  checks: CheckResult[];
  /** Why the host, or its doctor, does not answer, and what to do. */
  problem?: { message: string; hint: string };
}

const ORDER: CheckResult['status'][] = ['fail', 'warn', 'ok'];

/** Asks the host itself, or looks at this machine as long as there is no host to ask. */
export async function hostStatus(
  lease: HostLease | undefined,
  patience = PATIENCE,
  examineHere: typeof examine = examine,
): Promise<HostStatusDocument> {
  const signal = AbortSignal.timeout(patience);
  let known: Pick<HostStatusDocument, 'state' | 'info' | 'embedded'> = {
    state: lease ? 'unreachable' : 'undeployed',
  };
  try {
    if (!lease) return { ...known, checks: worstFirst(await inTime(examineHere({ signal }), signal)) };
    const host = await inTime(lease.host(), signal);
    const info = await inTime(host.info(), signal);
    known = { state: 'limited', info, embedded: info.pid === process.pid };
    // A daemon may do what this process may not, so it is the host that looks.
    const checks = worstFirst(await inTime(host.examine({ signal }), signal));
    return { ...known, state: checks.some(({ status }) => status === 'fail') ? 'limited' : 'ready', checks };
  } catch (error) {
    const { message, hint } = toGaruaError(error, 'asking the host');
    return { ...known, checks: [], problem: { message, hint } };
  }
}

function worstFirst({ checks }: Examination): CheckResult[] {
  return checks.sort((one, other) => ORDER.indexOf(one.status) - ORDER.indexOf(other.status));
}
