import assert from 'node:assert/strict';
import { examine, type Machine } from '../../../lib/host/doctor';

/** A Raspberry Pi 4 with a 64-bit system and everything in place. */
const PI: Machine = {
  architecture: 'arm64',
  userId: 0,
  read: (path) =>
    ({
      '/proc/filesystems': 'nodev\tsysfs\n\text4\n',
      '/proc/sys/kernel/osrelease': '6.6.31+rpt-rpi-v8\n',
      '/lib/modules/6.6.31+rpt-rpi-v8/modules.dep': 'kernel/fs/overlayfs/overlay.ko.xz:\n',
      '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
    })[path],
  exists: () => true,
  which: (program) => ({ path: `/usr/bin/${program}`, onPath: true }),
  freeSpace: () => 5e9,
};

async function statuses(machine: Machine): Promise<Record<string, string>> {
  const { checks } = await examine({ dataDirectory: '/var/lib/garua', machine });
  return Object.fromEntries(checks.map(({ id, status }) => [id, status]));
}

describe('doctor', () => {
  it('finds nothing wrong with a Pi that has all', async () => {
    assert.deepEqual(new Set(Object.values(await statuses(PI))), new Set(['ok']));
  });

  const ailments: [string, Partial<Machine>, Record<string, string>][] = [
    ['a 32-bit userland', { architecture: 'arm' }, { architecture: 'fail' }],
    ['a user without rights', { userId: 1000 }, { root: 'warn' }],
    [
      'no runc',
      { which: (name) => (name === 'runc' ? undefined : PI.which(name)) },
      { runc: 'fail', conmon: 'ok' },
    ],
    [
      'a PATH without /usr/sbin',
      { which: (name) => ({ path: `/usr/sbin/${name}`, onPath: false }) },
      { runc: 'fail' },
    ],
    ['no CNI plugins', { exists: () => false }, { bridge: 'warn' }],
    ['little space', { freeSpace: () => 1e8 }, { space: 'warn' }],
    [
      'the Pi kernel’s default of no memory cgroup',
      {
        read: (path) =>
          path.endsWith('controllers')
            ? 'cpuset cpu io pids\n'
            : path.endsWith('cgroups')
              ? ''
              : PI.read(path),
      },
      { 'memory-cgroup': 'warn' },
    ],
    ['a kernel without overlayfs', { read: () => undefined }, { overlay: 'fail' }],
  ];
  for (const [name, change, expected] of ailments) {
    it(`sees ${name}, and says what to do`, async () => {
      const machine = { ...PI, ...change };
      assert.deepEqual({ ...(await statuses(machine)), ...expected }, await statuses(machine));
      for (const check of (await examine({ dataDirectory: '/x', machine })).checks)
        assert.equal(check.fix !== undefined, check.status !== 'ok');
    });
  }

  it('examines this machine', async () => {
    const { checks } = await examine();
    assert.equal(checks.find(({ id }) => id === 'runc')?.status, 'ok');
    assert.equal(checks.find(({ id }) => id === 'overlay')?.status, 'ok');
  });
});
