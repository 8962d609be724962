import { kernelIsAtLeast } from './kernel';
import type { Seccomp, SeccompRule } from './oci';
import {
  ALLOWED_CALLS,
  ARCHITECTURE_CALLS,
  ARCHITECTURES,
  CAPABILITY_CALLS,
  SOCKET_FAMILIES,
  SOCKET_FAMILIES_BELOW,
  TRACING_CALLS,
} from './seccomp-calls';

const EPERM = 1;
const ENOSYS = 38;
/** All CLONE_NEW* flags: making namespaces is the way to most kernel attack surface. */
const NAMESPACE_FLAGS = 0x7e020000;
/** Linux, 32-bit Linux, both with UNAME26, and "tell me which": nothing that weakens address randomising. */
const HARMLESS_PERSONALITIES = [0x0, 0x0008, 0x20000, 0x20008, 0xffffffff];

/**
 * Docker's default system call filter for this machine and these capabilities: what is not listed fails with
 * EPERM.
 */
export function defaultSeccomp(capabilities: string[], architecture: string = process.arch): Seccomp {
  const mayMakeNamespaces = capabilities.includes('CAP_SYS_ADMIN');
  const names = new Set([
    ...ALLOWED_CALLS,
    ...(ARCHITECTURE_CALLS[architecture] ?? []),
    ...(kernelIsAtLeast(4, 8) ? TRACING_CALLS : []),
    ...capabilities.flatMap((capability) => CAPABILITY_CALLS[capability]?.split(/\s+/) ?? []),
  ]);
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ARCHITECTURES[architecture] ?? [],
    syscalls: [
      allow([...names]),
      ...HARMLESS_PERSONALITIES.map((value) => allowWhere('personality', value, 'SCMP_CMP_EQ')),
      allowWhere('socket', SOCKET_FAMILIES_BELOW, 'SCMP_CMP_LT'),
      ...SOCKET_FAMILIES.map((family) => allowWhere('socket', family, 'SCMP_CMP_EQ')),
      ...(mayMakeNamespaces ? [] : namespaceRules()),
    ],
  };
}

function namespaceRules(): SeccompRule[] {
  return [
    allow(['clone'], { index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }),
    // Its flags lie in memory, where no filter sees them; with ENOSYS libraries fall back to clone.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ];
}

function allowWhere(name: string, value: number, op: string): SeccompRule {
  return allow([name], { index: 0, value, op });
}

function allow(names: string[], ...args: NonNullable<SeccompRule['args']>): SeccompRule {
  return args.length > 0 ? { names, action: 'SCMP_ACT_ALLOW', args } : { names, action: 'SCMP_ACT_ALLOW' };
}
