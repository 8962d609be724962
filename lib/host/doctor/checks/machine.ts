import { formatSize } from '../../../base';
import {
  DISK_NAMES,
  isRaspberryPi,
  type Machine,
  memoryValue,
  type PowerTrouble,
  powerTroubles,
  swaps,
} from '../../machine';
import { type Check, fail, ok, warn } from '../check';

const SUPPORTED = ['x64', 'arm64'];
const WORD_SIZE = { '\x01': 32, '\x02': 64 } as Record<string, number>;

/** Of the programs that this system is made of: byte EI_CLASS of an ELF file. */
async function userlandBits(machine: Machine): Promise<number | undefined> {
  const shell = await machine.read('/bin/sh');
  return shell?.startsWith('\x7fELF') ? WORD_SIZE[shell[4]!] : undefined;
}

export const architecture: Check = {
  id: 'architecture',
  area: 'machine',
  why: 'Garua runs on 64-bit ARM and x86 only: there are no current Node.js and no SQLite for the others, and CRIU cannot move 32-bit programs of a 64-bit kernel.',
  async look({ machine }) {
    const { architecture: node, kernelArchitecture: kernel } = machine;
    const bits = await userlandBits(machine);
    const wideKernel = ['aarch64', 'x86_64'].includes(kernel);
    if (wideKernel && (bits === 32 || !SUPPORTED.includes(node))) {
      return fail(
        `a 64-bit kernel (${kernel}) with a 32-bit system (${node})`,
        'Install the 64-bit version of the operating system; the kernel alone is not enough.',
      );
    }
    if (!SUPPORTED.includes(node)) {
      return fail(
        `${node} on ${kernel}`,
        'Install the 64-bit version of the operating system on a machine that can run it (Raspberry Pi 3 or later).',
      );
    }
    return ok(`${node}, kernel ${kernel}, ${bits ?? 64}-bit system`);
  },
};

export const root: Check = {
  id: 'root',
  area: 'machine',
  why: 'Unpacking layers with their owners and starting containers needs root.',
  look: async ({ machine: { userId } }) =>
    userId === 0
      ? ok('running as root')
      : warn(
          `running as user ${userId}`,
          'Run it with sudo, or start the daemon (sudo garua setup) and join the group garua.',
        ),
};

/** The first with node:zlib's zstd. */
const OLDEST_NODE = [22, 15];

export const node: Check = {
  id: 'node',
  area: 'machine',
  why: 'Older versions lack what SQLite’s binding and zstd layers need.',
  async look({ machine }) {
    const [major = 0, minor = 0] = machine.nodeVersion.split('.').map(Number);
    const [oldestMajor, oldestMinor] = OLDEST_NODE as [number, number];
    const enough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
    return enough
      ? ok(`Node.js ${machine.nodeVersion}`)
      : fail(`Node.js ${machine.nodeVersion}`, `Install Node.js ${OLDEST_NODE.join('.')} or later.`);
  },
};

const NATIVE_MODULES = ['better-sqlite3', 'koffi', 'zlib-sync'];
/** Pulls do without it, slower. */
const DISPENSABLE = 'zlib-sync';

export const nativeModules: Check = {
  id: 'native-modules',
  area: 'machine',
  why: 'SQLite, system calls and fast unpacking are machine code, built for one version of Node.js.',
  async look({ machine }) {
    const troubles = await Promise.all(
      NATIVE_MODULES.map(async (name) => ({ name, trouble: await machine.moduleTrouble(name) })),
    );
    const bad = troubles.filter(({ trouble }) => trouble !== undefined);
    if (bad.length === 0) return ok(`${NATIVE_MODULES.join(', ')} load`);
    const detail = bad.map(({ name, trouble }) => `${name}: ${trouble}`).join('; ');
    const fix = `Run npm rebuild ${bad.map(({ name }) => name).join(' ')} in the folder where Garua is installed.`;
    return bad.every(({ name }) => name === DISPENSABLE) ? warn(detail, fix) : fail(detail, fix);
  },
};

/** Node-RED, Garua and one small container need about this much. */
const LITTLE_MEMORY = 400e6;

export const memory: Check = {
  id: 'memory',
  area: 'machine',
  why: 'Node-RED with Garua takes 150 MB, and containers come on top; when memory runs out, the kernel kills one of them.',
  async look({ machine }) {
    const [total, available] = await Promise.all([
      memoryValue(machine, 'MemTotal'),
      memoryValue(machine, 'MemAvailable'),
    ]);
    if (total === undefined || available === undefined) {
      return warn('cannot tell: /proc/meminfo is not readable', 'Mount /proc.');
    }
    const detail = `${formatSize(available)} of ${formatSize(total)} available`;
    if (total >= LITTLE_MEMORY && available >= total / 10) return ok(detail);
    return warn(detail, 'Stop what is not needed, limit containers (--memory), or use a larger machine.');
  },
};

/** With less, a swap is worth having. */
const NEEDS_SWAP = 4.5e9;

export const swap: Check = {
  id: 'swap',
  area: 'machine',
  why: 'On a small machine, idle memory belongs in swap, so that files and containers can use the rest.',
  async look({ machine }) {
    const used = await swaps(machine);
    const total = (await memoryValue(machine, 'MemTotal')) ?? 0;
    if (used.length > 0) {
      return ok(used.map(({ bytes, kind }) => `${formatSize(bytes)} on ${DISK_NAMES[kind]}`).join(', '));
    }
    if (total >= NEEDS_SWAP) return ok('none, and memory is large');
    return warn(
      'none, and memory is small',
      'Swap to compressed memory, which wears no card: apt-get install systemd-zram-generator (or zram-tools).',
    );
  },
};

/** This version was written after it: a clock that says less is wrong. */
const EARLIEST = Date.UTC(2026, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

export const clock: Check = {
  id: 'clock',
  area: 'machine',
  why: 'Certificates of registries and peers, windows over event time and logs need the right time.',
  async look({ machine }) {
    const now = machine.now();
    const date = new Date(now).toISOString().slice(0, 16).replace('T', ' ');
    const hasBattery = (await machine.list('/sys/class/rtc')).length > 0;
    const battery = hasBattery ? '' : ', and this machine has no clock that runs while it is off';
    const fix =
      'Let it set itself: sudo timedatectl set-ntp true, with the network (UDP port 123) reachable.';
    if (now < EARLIEST || now > LATEST) return fail(`it says ${date}, which is wrong${battery}`, fix);
    const timesyncd = await machine.exists('/run/systemd/timesync/synchronized');
    const synchronised = timesyncd || (await machine.clockSynchronised());
    if (synchronised) return ok(`${date} UTC, synchronised`);
    const state = synchronised === undefined ? 'cannot tell whether it is synchronised' : 'not synchronised';
    return warn(`${date} UTC, ${state}${battery}`, fix);
  },
};

const POWER_TROUBLES: Record<PowerTrouble['kind'], string> = {
  undervoltage: 'the supply voltage is too low',
  throttled: 'the processor is slowed down',
  hot: 'it is too hot',
};

function inWords({ kind, now }: PowerTrouble): string {
  const words = POWER_TROUBLES[kind];
  return now ? `${words} now` : `${words.replace(' is ', ' was ')} since the start`;
}

export const power: Check = {
  id: 'power',
  area: 'machine',
  why: 'A Raspberry Pi with too weak a supply or no cooling slows down, and loses data on its card.',
  async look({ machine }) {
    if (!(await isRaspberryPi(machine))) return undefined;
    const troubles = await powerTroubles(machine);
    if (troubles === undefined) {
      return warn('cannot tell: this kernel does not say', 'Ask the firmware: vcgencmd get_throttled.');
    }
    if (troubles.length === 0) return ok('voltage and temperature are fine');
    const hot = troubles.some(({ kind }) => kind === 'hot');
    const weak = troubles.some(({ kind }) => kind === 'undervoltage');
    const advice = [
      weak || !hot ? 'Use the power supply made for this board and a short cable.' : '',
      hot ? 'Give it a heat sink or a fan.' : '',
    ];
    return warn(troubles.map(inWords).join('; '), advice.filter(Boolean).join(' '));
  },
};
