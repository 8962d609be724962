import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CheckResult, examine } from '../../../lib/host/doctor';
import { type FixtureMachine, fixtureMachines } from './fixture-machine';

const DATA = '/var/lib/garua';

async function look(machine: FixtureMachine): Promise<Map<string, CheckResult>> {
  const { checks } = await examine({ dataDirectory: DATA, machine });
  return new Map(checks.map((check) => [check.id, check]));
}

/** Puts another content into a file of the machine; undefined removes it. */
function set(machine: FixtureMachine, path: string, content: string | Buffer | undefined): void {
  const place = join(machine.root, path);
  rmSync(place, { recursive: true, force: true });
  if (content === undefined) return;
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
}

/** Checks that are asked on every machine, and those on Raspberry Pis and cards. */
const EVERYWHERE =
  'architecture root node native-modules memory swap clock overlay namespaces seccomp cgroups memory-cgroup kernel-network checkpoint-restore runc conmon bridge criu data-directory space inodes policy swappiness'.split(
    ' ',
  );

/** Of each recorded machine: what is not in order. Everything else is. */
const MACHINES: Record<string, { asked: string[]; found: Record<string, [CheckResult['status'], RegExp]> }> =
  {
    'pi-3': {
      asked: ['power', 'alignment', 'file-system', 'trim', 'log-writes'],
      found: {
        clock: ['warn', /not synchronised, and this machine has no clock that runs while it is off/],
        power: ['warn', /^the supply voltage is too low now; the processor is slowed down now$/],
        'memory-cgroup': ['warn', /the memory controller is off$/],
        runc: ['fail', /not installed/],
        conmon: ['fail', /not installed/],
        bridge: ['warn', /missing: bridge, host-local, loopback, portmap$/],
        criu: ['warn', /not installed/],
        swappiness: ['warn', /60, with swap on an SD card/],
        'log-writes': ['warn', /the journal on an SD card/],
      },
    },
    'pi-4-32-bit': {
      asked: ['power', 'alignment', 'file-system', 'trim', 'log-writes'],
      found: {
        architecture: ['fail', /a 64-bit kernel \(aarch64\) with a 32-bit system \(arm\)/],
        root: ['warn', /user 1000/],
        node: ['fail', /20\.19\.2/],
        'native-modules': ['fail', /better-sqlite3: Error: Could not locate the bindings file/],
        'memory-cgroup': ['warn', /asks for it, which works after a reboot/],
        'kernel-network': ['warn', /cannot tell about veth, .*: no kernel configuration is readable/],
        'checkpoint-restore': ['warn', /cannot tell/],
        runc: ['fail', /\/usr\/sbin\/runc, which is not on PATH/],
        conmon: ['warn', /version 2\.0\.25, older than what was tried/],
        bridge: ['warn', /missing: iptables/],
        criu: ['warn', /not installed/],
        space: ['warn', /512 MB free/],
        inodes: ['warn', /31200 free/],
        swappiness: ['warn', /on an SD card/],
        alignment: ['warn', /not at a multiple of 4 MiB: mmcblk0p2 at 269 MB/],
        'file-system': ['warn', /no noatime.*data=writeback/],
        trim: ['warn', /at each removal/],
        'log-writes': ['warn', /rsyslog on an SD card/],
      },
    },
    'pi-4': { asked: ['power', 'alignment', 'file-system', 'trim', 'log-writes'], found: {} },
    'pi-5': {
      asked: ['power', 'file-system', 'trim'],
      found: {
        'memory-cgroup': ['warn', /off$/],
        criu: ['warn', /version 4\.1\.1, not tried out on this kernel yet/],
        swappiness: ['warn', /60, with swap on zram/],
        trim: ['warn', /never told/],
      },
    },
    pc: { asked: ['file-system', 'trim'], found: {} },
  };

describe('the doctor, on recorded machines', () => {
  const machine = fixtureMachines();

  for (const [name, { asked, found }] of Object.entries(MACHINES)) {
    it(`sees what ${name} has and lacks`, async () => {
      const checks = await look(machine(name));
      assert.deepEqual([...checks.keys()].sort(), [...EVERYWHERE, ...asked].sort());
      for (const [id, check] of checks) {
        const [status, detail] = found[id] ?? ['ok', /./];
        assert.equal(check.status, status, `${id}: ${check.detail}`);
        assert.match(check.detail, detail);
        assert.equal(check.fix !== undefined, status !== 'ok', id);
        assert.notEqual(check.why, '');
      }
    });
  }

  describe('when something changes', () => {
    const OVERLAY_ROOT =
      '26 1 0:31 / / rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c\n';
    const on = (type: string, options = 'rw') => `26 1 0:31 / / ${options} - ${type} somewhere ${options}\n`;
    const RELEASE = '6.12.47+rpt-rpi-v8';
    const config = (without: string) => (text: string) => text.replace(`CONFIG_${without}`, '# CONFIG_GONE');
    type Change = string | undefined | ((text: string) => string);
    const cases: [string, Record<string, Change>, string, CheckResult['status'], RegExp][] = [
      [
        'an NFS data directory',
        { '/proc/self/mountinfo': on('nfs4') },
        'data-directory',
        'fail',
        /network file/,
      ],
      [
        'GlusterFS',
        { '/proc/self/mountinfo': on('fuse.glusterfs') },
        'data-directory',
        'fail',
        /network file/,
      ],
      [
        'an overlay',
        { '/proc/self/mountinfo': OVERLAY_ROOT },
        'data-directory',
        'fail',
        /overlays of containers/,
      ],
      [
        'a read-only disk',
        { '/proc/self/mountinfo': on('ext4', 'ro') },
        'data-directory',
        'fail',
        /read-only/,
      ],
      ['a USB stick with FAT', { '/proc/self/mountinfo': on('vfat') }, 'data-directory', 'fail', /no owners/],
      [
        'memory as disk',
        { '/proc/self/mountinfo': on('tmpfs') },
        'data-directory',
        'warn',
        /gone after a reboot/,
      ],
      ['a policy that is no JSON', { '/etc/garua/policy.json': '{' }, 'policy', 'fail', /not JSON/],
      ['a policy that is a list', { '/etc/garua/policy.json': '[]' }, 'policy', 'fail', /not a JSON object/],
      [
        'no overlayfs',
        { [`/lib/modules/${RELEASE}/modules.dep`]: '' },
        'overlay',
        'fail',
        /not in this kernel/,
      ],
      [
        'a kernel without checkpoints',
        {
          [`/boot/config-${RELEASE}`]: config('CHECKPOINT_RESTORE'),
          '/proc/sys/kernel/ns_last_pid': undefined,
        },
        'checkpoint-restore',
        'warn',
        /without CONFIG_CHECKPOINT_RESTORE/,
      ],
      ['no veth', { [`/boot/config-${RELEASE}`]: config('VETH') }, 'kernel-network', 'warn', /kernel: veth$/],
      [
        'a kernel with nftables alone',
        { [`/boot/config-${RELEASE}`]: config('IP_NF_IPTABLES') },
        'kernel-network',
        'ok',
        /nftables/,
      ],
      [
        'cgroups without pids',
        { '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory\n' },
        'cgroups',
        'warn',
        /without pids/,
      ],
      [
        'cgroups of version 1',
        { '/sys/fs/cgroup/cgroup.controllers': undefined },
        'memory-cgroup',
        'ok',
        /cgroup v1/,
      ],
      [
        'a 32-bit shell',
        { '/bin/sh': '\x7fELF\x01' },
        'architecture',
        'fail',
        /64-bit kernel .* 32-bit system/,
      ],
      [
        'heat',
        { '/sys/bus/platform/drivers/raspberrypi-firmware/soc:firmware/get_throttled': '80008\n' },
        'power',
        'warn',
        /^it is too hot now$/,
      ],
      [
        'a firmware that says nothing',
        { '/sys/bus/platform/drivers/raspberrypi-firmware': undefined },
        'power',
        'warn',
        /cannot tell/,
      ],
      ['no swap', { '/proc/swaps': 'Filename\n' }, 'swap', 'warn', /memory is small/],
      ['no swap to act on', { '/proc/swaps': 'Filename\n' }, 'swappiness', 'ok', /no swap/],
      [
        'a damaged memory of try-outs',
        { '/usr/local/lib/garua/criu.json': '{' },
        'criu',
        'warn',
        /not tried out/,
      ],
      [
        'a CRIU tried on another kernel',
        { '/usr/local/lib/garua/criu.json': (text) => text.replace('6.12.47', '6.12.30') },
        'criu',
        'warn',
        /not tried out on this kernel/,
      ],
      [
        'a journal on the card by the last word',
        { '/etc/systemd/journald.conf.d/50-mine.conf': '[Journal]\nStorage=persistent\n' },
        'log-writes',
        'warn',
        /the journal on an SD card/,
      ],
    ];
    for (const [name, changes, id, status, detail] of cases) {
      it(`sees ${name}`, async () => {
        const subject = machine('pi-4');
        for (const [path, change] of Object.entries(changes)) {
          const text = typeof change === 'function' ? change((await subject.read(path))!) : change;
          set(subject, path, text);
        }
        const check = (await look(subject)).get(id)!;
        assert.equal(check.status, status, check.detail);
        assert.match(check.detail, detail);
      });
    }

    it('reads the configuration that the kernel itself carries', async () => {
      const subject = machine('pi-4');
      const path = `/boot/config-${RELEASE}`;
      set(subject, '/proc/config.gz', gzipSync((await subject.read(path))!.replace('CONFIG_VETH=m', '')));
      assert.equal((await look(subject)).get('kernel-network')!.detail, 'not in this kernel: veth');
    });

    it('sees a wrong year, and a policy that others can write or exchange', async () => {
      const subject = machine('pi-4');
      subject.settings.now = '2017-11-03T17:16:42Z';
      subject.settings.owners!['/etc/garua/policy.json'] = { userId: 0, mode: '664' };
      let checks = await look(subject);
      assert.equal(checks.get('clock')!.status, 'fail');
      assert.match(checks.get('policy')!.detail, /owner 0, mode 0664/);
      subject.settings.owners = {
        '/etc/garua/policy.json': { userId: 0, mode: '644' },
        '/etc/garua': { userId: 1000, mode: '755' },
      };
      checks = await look(subject);
      assert.match(checks.get('policy')!.detail, /exchange/);
    });
  });

  it('never hangs, and says so of what does not answer', async () => {
    const subject = machine('pi-4');
    subject.free = () => Promise.reject(new Error('stale file handle'));
    const checks = await look(subject);
    assert.deepEqual(
      [checks.get('space')!.status, checks.get('space')!.detail],
      ['warn', 'cannot tell: stale file handle'],
    );
    assert.equal(checks.get('runc')!.status, 'ok');
  });

  it('looks at this machine without changing it', async () => {
    const { checks } = await examine();
    const status = (id: string) => checks.find((check) => check.id === id)?.status;
    assert.deepEqual([status('runc'), status('overlay'), status('native-modules')], ['ok', 'ok', 'ok']);
  });

  it('tries CRIU out once, and remembers what it found', async function () {
    this.timeout(60_000);
    const subject = machine('pi-5');
    // A CRIU that fails at once: `criu check` of the real thing is tried in the set-up's tests.
    const program = join(subject.root, 'criu');
    writeFileSync(program, '#!/bin/sh\necho "Error (x.c:1): no such luck" >&2; exit 1\n');
    chmodSync(program, 0o755);
    subject.settings.programs.criu = program;
    subject.settings.outputs[`${program} --version`] = 'Version: 9.9\n';
    mkdirSync(join(subject.root, DATA), { recursive: true });
    const first = await examine({ dataDirectory: DATA, machine: subject, thorough: true });
    assert.match(
      first.checks.find(({ id }) => id === 'criu')!.detail,
      /version 9\.9, does not work: no such luck/,
    );
    rmSync(program);
    const second = (await look(subject)).get('criu')!;
    assert.match(second.detail, /version 9\.9, does not work: no such luck/);
  });
});
