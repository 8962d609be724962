import type { Machine } from '../../machine';
import { type Check, type CheckContext, fail, type Outcome, ok, warn } from '../check';

/** Something the kernel can do, by its build options or by what it shows when it runs. */
interface Feature {
  name: string;
  /** All of them are needed; `A|B` means one of the two. */
  options: string[];
  /** A file that exists only with it. */
  evidence?: string;
}

const NAMESPACES: Feature[] = ['uts', 'ipc', 'pid', 'net'].map((name) => ({
  name: `${name} namespaces`,
  options: [`${name.toUpperCase()}_NS`],
  evidence: `/proc/self/ns/${name}`,
}));

const NETWORKING: Feature[] = [
  { name: 'veth', options: ['VETH'] },
  { name: 'bridge', options: ['BRIDGE'], evidence: '/sys/module/bridge' },
  { name: 'address translation', options: ['NF_NAT'], evidence: '/sys/module/nf_nat' },
  { name: 'iptables or nftables', options: ['IP_NF_IPTABLES|NF_TABLES'] },
  { name: 'masquerading', options: ['IP_NF_TARGET_MASQUERADE|NETFILTER_XT_TARGET_MASQUERADE'] },
  { name: 'matches that CNI uses', options: ['NETFILTER_XT_MATCH_COMMENT', 'NETFILTER_XT_MATCH_ADDRTYPE'] },
];

const SECCOMP: Feature[] = [
  {
    name: 'seccomp filters',
    options: ['SECCOMP_FILTER'],
    evidence: '/proc/sys/kernel/seccomp/actions_avail',
  },
];

const CHECKPOINT: Feature[] = [
  { name: 'checkpoint/restore', options: ['CHECKPOINT_RESTORE'], evidence: '/proc/sys/kernel/ns_last_pid' },
];

type Answer = 'yes' | 'no' | 'unknown';

export async function kernelRelease(machine: Machine): Promise<string> {
  return ((await machine.read('/proc/sys/kernel/osrelease')) ?? '').trim();
}

/** The options that the running kernel was built with; undefined when it is written nowhere. */
async function configuration(machine: Machine): Promise<Set<string> | undefined> {
  const release = await kernelRelease(machine);
  const text =
    (await machine.readCompressed('/proc/config.gz')) ??
    (await machine.read(`/boot/config-${release}`)) ??
    (await machine.read(`/lib/modules/${release}/config`));
  if (text === undefined) return undefined;
  return new Set([...text.matchAll(/^CONFIG_(\w+)=[ym]$/gm)].map(([, name]) => name!));
}

async function answers({ machine }: CheckContext, features: Feature[]): Promise<Record<Answer, string[]>> {
  const options = await configuration(machine);
  const sorted: Record<Answer, string[]> = { yes: [], no: [], unknown: [] };
  for (const { name, options: needed, evidence } of features) {
    const shown = evidence !== undefined && (await machine.exists(evidence));
    const built = options && needed.every((one) => one.split('|').some((option) => options.has(option)));
    sorted[shown || built ? 'yes' : options ? 'no' : 'unknown'].push(name);
  }
  return sorted;
}

const UNREADABLE =
  'Nothing to do if containers work. To let the doctor see the kernel’s configuration: sudo modprobe configs.';

function features(
  id: string,
  why: string,
  wanted: Feature[],
  missing: (names: string) => Outcome | Promise<Outcome>,
): Check {
  return {
    id,
    area: 'kernel',
    why,
    async look(context) {
      const { yes, no, unknown } = await answers(context, wanted);
      if (no.length > 0) return missing(no.join(', '));
      if (unknown.length > 0) {
        return warn(
          `cannot tell about ${unknown.join(', ')}: no kernel configuration is readable`,
          UNREADABLE,
        );
      }
      return ok(yes.join(', '));
    },
  };
}

const OWN_KERNEL = 'Use the distribution’s own kernel, or build one with these options.';

export const namespaces = features('namespaces', 'They keep containers apart.', NAMESPACES, (names) =>
  fail(`not in this kernel: ${names}`, OWN_KERNEL),
);

export const networking = features(
  'kernel-network',
  'Bridge networks and published ports are made of them; --net host needs none.',
  NETWORKING,
  (names) => warn(`not in this kernel: ${names}`, OWN_KERNEL),
);

export const seccomp = features(
  'seccomp',
  'It keeps system calls from containers that could break out with them.',
  SECCOMP,
  (names) => fail(`not in this kernel: ${names}`, OWN_KERNEL),
);

export const checkpointRestore = features(
  'checkpoint-restore',
  'CRIU needs it to move a running container with its memory.',
  CHECKPOINT,
  () =>
    warn(
      'this kernel was built without CONFIG_CHECKPOINT_RESTORE',
      'Upgrade the kernel: that of Raspberry Pi OS has it since mid-2023 (sudo apt-get update && sudo apt-get full-upgrade).',
    ),
);

export const overlay: Check = {
  id: 'overlay',
  area: 'kernel',
  why: 'A container sees its image layers and its own changes as one tree through overlayfs.',
  async look({ machine }) {
    if (/\boverlay\b/.test((await machine.read('/proc/filesystems')) ?? '')) return ok('in the kernel');
    const modules = `/lib/modules/${await kernelRelease(machine)}`;
    if (/\/overlay\.ko/.test((await machine.read(`${modules}/modules.dep`)) ?? '')) {
      return ok('a module that is loaded when needed');
    }
    return fail(
      'not in this kernel',
      'Use a kernel with CONFIG_OVERLAY_FS, such as the distribution’s own. After an upgrade of the kernel, reboot.',
    );
  },
};
