import { readFile } from 'node:fs/promises';
import { CapabilityMissingError } from '../errors';
import { ALL, CAPABILITIES } from '../spec/capabilities';
import type { CompleteSpec } from '../spec/complete';

/** Docker's default: enough for common servers as root. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID'],
  ...['CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_NET_RAW', 'CAP_SYS_CHROOT', 'CAP_MKNOD'],
  ...['CAP_AUDIT_WRITE', 'CAP_SETFCAP'],
];

/**
 * The capabilities of a container: the default ones without those dropped, then those added, as Docker has it;
 * all when it is privileged. Only what this process has itself can be given: asking runc for more makes the
 * start fail.
 *
 * @throws {CapabilityMissingError} when one that was added by name cannot be given
 */
export async function containerCapabilities(spec: CompleteSpec): Promise<string[]> {
  const given = await grantableCapabilities();
  if (spec.privileged) return given;
  const { add = [], drop = [] } = spec.capabilities ?? {};
  const missing = add.find((name) => name !== ALL && !given.includes(name));
  if (missing) throw new CapabilityMissingError(missing);
  const base = drop.includes(ALL) ? [] : DEFAULT_CAPABILITIES.filter((name) => !drop.includes(name));
  const added = add.includes(ALL) ? given.filter((name) => !drop.includes(name)) : add;
  return given.filter((name) => base.includes(name) || added.includes(name));
}

async function grantableCapabilities(): Promise<string[]> {
  const status = await readFile('/proc/self/status', 'utf8');
  const permitted = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return CAPABILITIES.filter((_, bit) => (permitted >> BigInt(bit)) & 1n);
}
