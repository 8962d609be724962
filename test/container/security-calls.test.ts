import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultSeccomp } from '../../lib/container/bundle/seccomp';
import { ContainerFixture } from './fixture';
import { type RawCall, rawAnswers, rawProgram } from './raw-program';

const [EPERM, ENOSYS] = [-1, -38];

/** What Docker's default profile (moby/profiles, seccomp/default.json) refuses whatever the capabilities are. */
const NEVER = `
  _sysctl add_key afs_syscall bdflush create_module get_kernel_syms getpmsg io_uring_enter io_uring_register
  io_uring_setup kexec_file_load kexec_load keyctl migrate_pages move_pages nfsservctl oldfstat oldlstat oldstat
  oldolduname olduname pivot_root putpmsg query_module request_key security sgetmask ssetmask swapoff swapon sysfs
  tuxcall uselib userfaultfd ustat vm86 vm86old vserver
`;
/** What it allows only together with a capability, which are not among the default ones. */
const WITH_CAPABILITY: Record<string, string> = {
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_SYS_ADMIN: `bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
    sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_MODULE: 'delete_module finit_module init_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYSLOG: 'syslog',
  CAP_BPF: 'bpf',
  CAP_PERFMON: 'perf_event_open',
};
/** The socket families that it leaves out. */
const REFUSED_FAMILIES = [12, 19, 20, 23, 25, 34, 37, 38, 40];
const DEFAULT = ['CAP_CHOWN', 'CAP_SYS_CHROOT', 'CAP_MKNOD', 'CAP_NET_RAW'];

/** Numbers in the calls' tables of x86-64 and of all newer architectures; arguments are zero where none are given. */
const TRIED: Record<string, [number, number?, ...number[]]> = {
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  open_by_handle_at: [304, 265],
  kexec_load: [246, 104],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  mount: [165, 40],
  umount2: [166, 39],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  open_tree: [428, 428],
  fsopen: [430, 430],
  pivot_root: [155, 41],
  unshare: [272, 97],
  setns: [308, 268],
  quotactl: [179, 60],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  sethostname: [170, 161],
  acct: [163, 89],
  syslog: [103, 116],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  fanotify_init: [300, 262],
  mbind: [237, 235],
  set_mempolicy: [238, 237],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  vhangup: [153, 58],
};
const PORT_CALLS = { iopl: [172], ioperm: [173], nfsservctl: [180], lookup_dcookie: [212] };

const words = (text: string) => text.trim().split(/\s+/);
const own = <T>(x64: T, arm64: T) => (process.arch === 'x64' ? x64 : arm64);

/** Names that a profile allows whatever their arguments are. */
function freelyAllowed(capabilities: string[], architecture: string): Set<string> {
  const rules = defaultSeccomp(capabilities, architecture).syscalls;
  const free = rules.filter(({ action, args }) => action === 'SCMP_ACT_ALLOW' && !args);
  return new Set(free.flatMap(({ names }) => names));
}

describe('container: the system calls it may make', () => {
  for (const architecture of ['x64', 'arm64']) {
    it(`are no more than Docker’s on ${architecture}`, () => {
      const profile = defaultSeccomp(DEFAULT, architecture);
      assert.deepEqual([profile.defaultAction, profile.defaultErrnoRet], ['SCMP_ACT_ERRNO', 1]);
      const family = architecture === 'x64' ? /_(X86_64|X86)$/ : /_(AARCH64|ARM)$/;
      assert.ok(profile.architectures.length > 0 && profile.architectures.every((name) => family.test(name)));
      const allowed = freelyAllowed(DEFAULT, architecture);
      const refused = [NEVER, ...Object.values(WITH_CAPABILITY)].flatMap(words);
      assert.deepEqual(
        [...refused, 'clone', 'clone3', 'socket', 'personality'].filter((name) => allowed.has(name)),
        [],
      );
      assert.ok(['read', 'execve', 'ptrace', 'chroot', 'mknod'].every((name) => allowed.has(name)));
      assert.ok(!freelyAllowed([], architecture).has('chroot'));
      const others =
        architecture === 'x64' ? ['cacheflush', 'set_tls', 'sync_file_range2'] : ['arch_prctl', 'modify_ldt'];
      assert.deepEqual(
        [...others, 's390_runtime_instr', 'riscv_flush_icache', 'swapcontext'].filter((name) =>
          allowed.has(name),
        ),
        [],
      );
    });
  }

  it('grow with each capability by exactly the calls that belong to it', () => {
    const without = freelyAllowed(DEFAULT, 'x64');
    for (const [capability, text] of Object.entries(WITH_CAPABILITY)) {
      const more = [...freelyAllowed([...DEFAULT, capability], 'x64')].filter((name) => !without.has(name));
      const expected = [...words(text), ...(capability === 'CAP_SYS_ADMIN' ? ['clone', 'clone3'] : [])];
      assert.deepEqual(more.sort(), expected.sort(), capability);
    }
    const all = freelyAllowed(Object.keys(WITH_CAPABILITY), 'x64');
    assert.deepEqual(
      words(NEVER).filter((name) => all.has(name)),
      [],
    );
  });

  it('restrict sockets, personalities and clones by what they ask for', () => {
    const { syscalls } = defaultSeccomp(DEFAULT, 'x64');
    const rules = (name: string) => syscalls.filter(({ names }) => names.includes(name));
    const accepts = (family: number) =>
      rules('socket').some(({ args = [] }) =>
        args.every(({ op, value }) => (op === 'SCMP_CMP_LT' ? family < value : family === value)),
      );
    assert.deepEqual(
      Array.from({ length: 64 }, (_, family) => family).filter((family) => !accepts(family)),
      [...REFUSED_FAMILIES, ...Array.from({ length: 18 }, (_, index) => 46 + index)],
    );
    const personalities = rules('personality').flatMap(({ args = [] }) => args.map(({ value }) => value));
    assert.deepEqual(personalities, [0, 8, 0x20000, 0x20008, 0xffffffff]);
    const clone = rules('clone').map(({ args }) => args);
    const flags = { index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' };
    assert.deepEqual(clone, [[flags]]);
    assert.deepEqual(rules('clone3'), [{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }]);
  });

  describe('tried from inside', () => {
    let fixture: ContainerFixture;
    beforeEach(async () => {
      fixture = await ContainerFixture.create();
    });
    afterEach(() => fixture.destroy());

    /** The kernel's answers to calls made in a container. */
    async function answers(calls: RawCall[]): Promise<number[]> {
      const layer = await fixture.layer('raw', { probe: '' });
      await writeFile(join(layer.path, 'probe'), rawProgram(calls), { mode: 0o755 });
      const script = '/probe > /tmp/out; busybox od -An -v -tx1 /tmp/out';
      const { stdout, stderr } = await fixture.run(script, {}, await fixture.image({}, [layer]));
      assert.deepEqual(stderr, []);
      return rawAnswers(Buffer.from(stdout.join('').replace(/\s/g, ''), 'hex'));
    }

    it('are refused where Docker refuses them', async () => {
      const tried: [string, number][] = Object.entries(TRIED).map(([name, [x64, generic]]) => [
        name,
        own(x64, generic!),
      ]);
      if (process.arch === 'x64') {
        for (const [name, [number]] of Object.entries(PORT_CALLS)) tried.push([name, number!]);
      }
      const getpid = own(39, 172);
      const [pid, ...refused] = await answers([[getpid], ...tried.map(([, number]) => [number])]);
      assert.ok(pid! > 0, 'a call that is allowed works');
      const wrong = tried
        .map(([name], index) => [name, refused[index]])
        .filter(([, answer]) => answer !== EPERM);
      assert.deepEqual(wrong, []);
    });

    it('are judged by their arguments', async () => {
      const [clone, socket, personality] = [own(56, 220), own(41, 198), own(135, 92)];
      // Each CLONE_NEW* flag: ns, cgroup, uts, ipc, user, pid, net.
      const flags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
      const [clone3, address, tellPersonality, local, algorithms, hypervisor, ...namespaces] = await answers([
        [435],
        [personality, 0x0040000],
        [personality, 0xffffffff],
        [socket, 2, 1],
        [socket, 38, 5],
        [socket, 40, 1],
        ...flags.map((flag) => [clone, flag]),
      ]);
      assert.equal(clone3, ENOSYS);
      assert.equal(address, EPERM);
      assert.equal(tellPersonality, 0);
      assert.ok(local! >= 0);
      assert.deepEqual([algorithms, hypervisor], [EPERM, EPERM]);
      assert.deepEqual(namespaces, Array(flags.length).fill(EPERM));
    });
  });
});
