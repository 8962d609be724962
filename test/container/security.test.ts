import assert from 'node:assert/strict';
import { chmod, copyFile, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
    const files =
      '/proc/kcore /proc/keys /proc/timer_list /proc/interrupts /proc/sched_debug /proc/latency_stats';
    const { stdout } = await fixture.run(
      `for f in ${files}; do test -e $f && wc -c < $f; done
       for d in /proc/acpi /proc/scsi /proc/asound /sys/firmware /sys/devices/virtual/powercap; do test -e $d && ls $d | wc -l; done
       ls -d /sys/devices/system/cpu/cpu*/thermal_throttle/* 2>/dev/null | wc -l`,
    );
    assert.ok(stdout.length >= 5);
    assert.deepEqual([...new Set(stdout)], ['0']);
  });

  it('can change no setting of the kernel, whatever file shows it', async () => {
    const { stdout } = await fixture.run(
      `for p in /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus /proc/fs /sys; do
         test -e $p || continue
         grep " $p " /proc/mounts | tail -1 | grep -q ' ro,' && continue
         echo "writable: $p"
       done
       grep -E ' cgroup2? ' /proc/mounts | grep -v ' ro,'
       find() { busybox find "$@"; }
       find /proc/sys /sys -type f -perm -200 2>/dev/null | head -400 | while read f; do busybox sh -c ": >> $f" 2>/dev/null && echo "opened: $f"; done
       echo end`,
    );
    assert.deepEqual(stdout, ['end']);
  });

  it('sees only its own processes', async () => {
    const { stdout } = await fixture.run('echo $$; ls /proc | grep -c "^[0-9]"');
    assert.equal(stdout[0], '1');
    assert.ok(Number(stdout[1]) <= 4);
  });

  it('shares no namespace with the host, nor its sockets, memory or host name', async () => {
    const types = ['pid', 'ipc', 'uts', 'mnt', 'net'];
    const script = `for t in ${types.join(' ')}; do busybox readlink /proc/self/ns/$t; done; wc -l < /proc/net/unix`;
    const { stdout } = await fixture.run(script);
    for (const [index, type] of types.entries()) {
      assert.notEqual(stdout[index], await readlink(`/proc/self/ns/${type}`), type);
    }
    assert.equal(stdout.at(-1), '1');
  });

  it('has no device but the harmless ones', async () => {
    const { stdout } = await fixture.run('busybox find /dev ! -type d ! -type l | busybox sort');
    const harmless = ['console', 'full', 'null', 'ptmx', 'pts/ptmx', 'random', 'tty', 'urandom', 'zero'];
    assert.deepEqual(
      stdout.filter((path) => !harmless.includes(path.slice('/dev/'.length))),
      [],
    );
    const own = await fixture.run('busybox mknod /tmp/x c 10 229; cat /tmp/x', { name: 'nodes' });
    assert.match(own.stderr.join(), /not permitted/);
  });

  it('loses a capability that is dropped, and all of them', async () => {
    const effective = async (drop: string[], add: string[] = []) => {
      const capabilities = { drop, add };
      const { stdout } = await fixture.run('grep CapBnd /proc/self/status', { capabilities });
      return BigInt(`0x${stdout.at(-1)!.split(/\s+/)[1]}`);
    };
    assert.equal(
      await effective(['NET_RAW', 'CAP_MKNOD']),
      DOCKER_CAPABILITIES & ~(1n << 13n) & ~(1n << 27n),
    );
    assert.equal(await effective(['ALL']), 0n);
    assert.equal(await effective(['ALL'], ['NET_BIND_SERVICE']), 1n << 10n);
  });

  it('becomes nobody else through a setuid program', async () => {
    const layer = await fixture.layer('setuid');
    await copyFile('/bin/busybox', join(layer.path, 'busybox'));
    await chmod(join(layer.path, 'busybox'), 0o4755);
    const { stdout } = await fixture.run(
      '/busybox id -u; grep NoNewPrivs /proc/self/status',
      { user: 'web' },
      await fixture.image({}, [layer]),
    );
    assert.equal(stdout[0], '1000');
    assert.match(stdout[1]!, /1$/);
  });

  it('gets no command for the runtime through a label', async () => {
    await fixture.deploy({ command: ['sleep', '60'], labels: { 'org.criu.config': '/tmp/evil', role: 'x' } });
    const [id] = await readdir(fixture.directory.join('containers'));
    const config = await readFile(fixture.directory.join('containers', id!, 'config.json'), 'utf8');
    const { 'org.criu.config': own, ...others } = JSON.parse(config).annotations;
    assert.ok(own.startsWith(fixture.directory.join('containers', id!)), own);
    assert.deepEqual(others, {
      'garua.label.org.criu.config': '/tmp/evil',
      'garua.label.role': 'x',
    });
  });

  describe('when it is privileged, because the policy says so', () => {
    beforeEach(() =>
      writeFile(fixture.directory.join('policy.json'), '{"privileged": true}', { mode: 0o644 }),
    );

    it('may do what root of the host may', async () => {
      const { stdout } = await fixture.run(
        `grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status
         mount -t tmpfs none /tmp && echo mounted
         grep -E ' (/sys|/sys/fs/cgroup) ' /proc/mounts | grep -c ' rw,'
         grep -c -E ' /proc/(kcore|sys|keys) ' /proc/mounts
         busybox mknod /tmp/fuse c 10 229; busybox sh -c ': < /tmp/fuse' && echo opened; ls /dev | wc -l`,
        { privileged: true },
      );
      const own = /^CapEff:.*$/m.exec(await readFile('/proc/self/status', 'utf8'))![0];
      const hostDevices = (await readdir('/dev')).length;
      assert.deepEqual(stdout.slice(0, 3), ['NoNewPrivs:\t0', 'Seccomp:\t0', own].sort());
      assert.deepEqual(stdout.slice(3, 7), ['mounted', '2', '0', 'opened']);
      assert.ok(Number(stdout[7]) > Math.min(hostDevices, 20) / 2);
    });
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
