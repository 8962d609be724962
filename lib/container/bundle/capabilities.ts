import { readFile } from 'node:fs/promises';

/** Numbers as in linux/capability.h. The list is Docker's default: enough for common servers as root. */
const DEFAULT_CAPABILITIES: Record<string, number> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_RAW: 13,
  CAP_SYS_CHROOT: 18,
  CAP_MKNOD: 27,
  CAP_AUDIT_WRITE: 29,
  CAP_SETFCAP: 31,
};

/** The default capabilities that this process has to give: asking runc for more makes the start fail. */
export async function grantableCapabilities(): Promise<string[]> {
  const status = await readFile('/proc/self/status', 'utf8');
  const permitted = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return Object.entries(DEFAULT_CAPABILITIES)
    .filter(([, bit]) => (permitted >> BigInt(bit)) & 1n)
    .map(([name]) => name);
}
