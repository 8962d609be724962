import type { CapabilityChanges } from '../container';
import { invalidField } from '../errors';
import { fields, list, text } from './checks';

/** All capabilities of Linux, in the order of their numbers (linux/capability.h, up to Linux 5.9 and since). */
export const CAPABILITIES: readonly string[] = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
  NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
  SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
  AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
  PERFMON BPF CHECKPOINT_RESTORE
`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`);

/** Stands for all capabilities. */
export const ALL = 'ALL';

/** `NET_ADMIN` and `CAP_NET_ADMIN` are the same. */
export function fullName(name: string): string {
  return name === ALL || name.startsWith('CAP_') ? name : `CAP_${name}`;
}

export function isCapability(name: string): boolean {
  return name === ALL || CAPABILITIES.includes(fullName(name));
}

function checkNames(value: unknown, field: string): void {
  list(value, field).forEach((item, index) => {
    text(item, `${field}[${index}]`);
    if (isCapability(item)) return;
    throw invalidField(
      `${field}[${index}]`,
      `"${item}" is not a capability of Linux`,
      'Use a name of man 7 capabilities, such as NET_ADMIN, or ALL.',
    );
  });
}

export function checkCapabilities(value: unknown, field: string): void {
  fields(value, field, { add: checkNames, drop: checkNames });
}

/** The names in full and in order. `changes` have passed `checkCapabilities`. */
export function completeCapabilities({
  add = [],
  drop = [],
}: CapabilityChanges): Required<CapabilityChanges> {
  const complete = (names: string[]) => [...new Set(names.map(fullName))].sort();
  return { add: complete(add), drop: complete(drop) };
}
