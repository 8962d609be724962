import type { Seccomp, SeccompRule } from './oci';
import { ALLOWED_CALLS, ARCHITECTURE_CALLS, ARCHITECTURES } from './seccomp-calls';

const EPERM = 1;
const ENOSYS = 38;
const AF_VSOCK = 40;
/** All CLONE_NEW* flags: making namespaces is the way to most kernel attack surface. */
const NAMESPACE_FLAGS = 0x7e020000;
/** Linux, 32-bit Linux, both with UNAME26, and "tell me which": nothing that weakens address randomising. */
const HARMLESS_PERSONALITIES = [0x0, 0x0008, 0x20000, 0x20008, 0xffffffff];

/** Docker's default system call filter for this machine: what is not listed fails with EPERM. */
export function defaultSeccomp(): Seccomp {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ARCHITECTURES[process.arch] ?? [],
    syscalls: [
      allow([...ALLOWED_CALLS, ...(ARCHITECTURE_CALLS[process.arch] ?? [])]),
      ...HARMLESS_PERSONALITIES.map((value) =>
        allow(['personality'], { index: 0, value, op: 'SCMP_CMP_EQ' }),
      ),
      // Sockets to the hypervisor belong to the host.
      allow(['socket'], { index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }),
      allow(['clone'], { index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }),
      // Its flags lie in memory, where no filter sees them; with ENOSYS libraries fall back to clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ],
  };
}

function allow(names: string[], ...args: NonNullable<SeccompRule['args']>): SeccompRule {
  return args.length > 0 ? { names, action: 'SCMP_ACT_ALLOW', args } : { names, action: 'SCMP_ACT_ALLOW' };
}
