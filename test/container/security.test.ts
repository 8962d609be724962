import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { ContainerFixture } from './fixture';

/** chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap */
const DOCKER_CAPABILITIES = 0xa80425fbn;

describe('container: what it may not do', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  it('gains no privileges, has Docker’s capabilities and a system call filter', async () => {
    const { stdout } = await fixture.run('cat /proc/self/status');
    const value = (name: string) => stdout.find((line) => line.startsWith(`${name}:`))?.split(/\s+/)[1];
    assert.equal(value('NoNewPrivs'), '1');
    assert.equal(value('Seccomp'), '2');
    const own = /^CapPrm:\s*(\w+)/m.exec(await readFile('/proc/self/status', 'utf8'))![1];
    const expected = DOCKER_CAPABILITIES & BigInt(`0x${own}`);
    for (const set of ['CapBnd', 'CapPrm', 'CapEff']) assert.equal(BigInt(`0x${value(set)}`), expected, set);
    assert.equal(BigInt(`0x${value('CapInh')}`), 0n);
  });

  it('has no capability in force as another user', async () => {
    const { stdout } = await fixture.run('grep CapEff /proc/self/status', { user: 'web' });
    assert.match(stdout[0]!, /\s0+$/);
  });

  const refused: [string, string][] = [
    ['mount', 'mount -t tmpfs none /tmp'],
    ['make a user namespace', 'busybox unshare -U true'],
    ['set the clock', 'busybox adjtimex -t 9000'],
    ['set the host name', 'hostname other'],
    ['change kernel settings', 'echo 1 > /proc/sys/vm/drop_caches'],
    ['press the magic key', 'echo h > /proc/sysrq-trigger'],
    ['write to sysfs', 'echo 1 > /sys/kernel/profiling'],
    ['change its cgroups', 'd=/sys/fs/cgroup; test -d $d/memory && d=$d/memory; mkdir $d/x'],
    ['open a block device', 'busybox mknod /tmp/disk b 254 0; dd if=/tmp/disk of=/dev/null count=1'],
  ];
  for (const [what, script] of refused) {
    it(`may not ${what}`, async () => {
      const { stderr, stdout } = await fixture.run(`(${script}) && echo done`);
      assert.deepEqual(
        stdout.filter((line) => line === 'done'),
        [],
      );
      assert.match(stderr.join('\n'), /not permitted|denied|Read-only|nonexistent|can't create/i);
    });
  }

  it('finds the kernel’s telling files masked', async () => {
    const { stdout } = await fixture.run(
      'for f in kcore keys timer_list; do test -e /proc/$f && wc -c < /proc/$f; done; ls /sys/firmware | wc -l',
    );
    assert.ok(stdout.length >= 3);
    assert.deepEqual([...new Set(stdout)], ['0']);
  });

  it('sees only its own processes', async () => {
    const { stdout } = await fixture.run('echo $$; ls /proc | grep -c "^[0-9]"');
    assert.equal(stdout[0], '1');
    assert.ok(Number(stdout[1]) <= 4);
  });

  it('has a limit of processes, and no more open files than the host gives', async () => {
    const { container } = await fixture.deploy({ command: ['sleep', '60'] });
    const cgroups = await readFile(`/proc/${container.pid}/cgroup`, 'utf8');
    const v1 = /^\d+:pids:(.*)$/m.exec(cgroups)?.[1];
    const path = v1 ? `/sys/fs/cgroup/pids${v1}` : `/sys/fs/cgroup${/^0::(.*)$/m.exec(cgroups)![1]}`;
    assert.equal((await readFile(`${path}/pids.max`, 'utf8')).trim(), '4096');
    const hard = (text: string) => Number(/^Max open files\s+\S+\s+(\d+)/m.exec(text)![1]);
    const limits = await readFile(`/proc/${container.pid}/limits`, 'utf8');
    assert.ok(hard(limits) <= hard(await readFile('/proc/self/limits', 'utf8')));
  });

  it('keeps its secrets from other users of the host', async () => {
    await fixture.deploy({ command: ['sleep', '60'], env: { TOKEN: 'secret' } });
    const containers = fixture.directory.join('containers');
    assert.equal((await stat(containers)).mode & 0o777, 0o700);
    const [id] = await readdir(containers);
    for (const file of ['config.json', 'container.json']) {
      assert.equal((await stat(`${containers}/${id}/${file}`)).mode & 0o777, 0o600, file);
    }
    assert.doesNotMatch(JSON.stringify(fixture.database.prepare('SELECT * FROM containers').all()), /secret/);
  });
});
