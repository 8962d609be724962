import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkIoWeightSupport, KERNEL_FOLDERS } from '../../lib/container/bundle/limit-support';
import { containerResources } from '../../lib/container/bundle/resources';
import { cgroupVersion, memoryLimitOf, outOfMemoryKills } from '../../lib/container/runtime/cgroup';
import { completeSpec } from '../../lib/container/spec/complete';
import { ContainerFixture } from './fixture';

const MIB = 1 << 20;

describe('container: limits', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  /** What the kernel says in a container's cgroup, by the file's name in version 1 or 2. */
  async function fromCgroup(pid: number, controller: string, v1: string, v2: string): Promise<string> {
    const lines = await readFile(`/proc/${pid}/cgroup`, 'utf8');
    const isFirst = (await cgroupVersion()) === 1;
    const path = isFirst
      ? new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(lines)![1]
      : /^0::(.*)$/m.exec(lines)![1];
    const folder = isFirst ? `/sys/fs/cgroup/${controller}` : '/sys/fs/cgroup';
    return (await readFile(`${folder}${path}/${isFirst ? v1 : v2}`, 'utf8')).trim();
  }

  it('a quarter of a core is a quarter of a core', async () => {
    const { container } = await fixture.deploy({ command: ['sh', '-c', 'while :; do :; done'], cpus: 0.25 });
    const usedMs = async () => {
      const text = await fromCgroup(container.pid!, 'cpuacct', 'cpuacct.usage', 'cpu.stat');
      const microseconds = /^usage_usec (\d+)/m.exec(text)?.[1];
      return microseconds ? Number(microseconds) / 1e3 : Number(text) / 1e6;
    };
    const [before, from] = [await usedMs(), performance.now()];
    await sleep(2_000);
    const share = ((await usedMs()) - before) / (performance.now() - from);
    // On a busy machine it may get less than its share, never more but for one period at each end.
    assert.ok(share > 0.05 && share < 0.35, `it used ${share} of a core`);
    const quota = await fromCgroup(container.pid!, 'cpu', 'cpu.cfs_quota_us', 'cpu.max');
    assert.equal(quota.split(' ')[0], '25000');
  });

  it('holds memory, swap and processes', async () => {
    const { container } = await fixture.deploy({
      command: ['sleep', '60'],
      memory: 32 * MIB,
      pids: 20,
    });
    const { pid } = container;
    assert.equal(await fromCgroup(pid!, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(32 * MIB));
    assert.equal(await fromCgroup(pid!, 'pids', 'pids.max', 'pids.max'), '20');
    const script = 'for i in $(seq 30); do sleep 9 & done; echo all';
    const { stdout, stderr } = await fixture.run(script, { pids: 10, name: 'forks' });
    assert.deepEqual(stdout, []);
    assert.match(stderr.join(), /can't fork/);
  });

  it('gives swap beside memory where the kernel counts it, and says so where it does not', async () => {
    const deploying = fixture.deploy({ command: ['sleep', '60'], memory: 32 * MIB, swap: 16 * MIB });
    const result = await deploying.catch((error) => error);
    if (result.code) {
      assert.equal(result.code, 'ERR_CONTAINER_LIMIT_UNSUPPORTED');
      assert.match(result.message, /^swap: /);
    } else {
      const { pid } = result.container;
      const total = await fromCgroup(pid, 'memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max');
      assert.equal(Number(total), ((await cgroupVersion()) === 1 ? 48 : 16) * MIB);
    }
  });

  it('weighs disk access where a disk’s scheduler does, and says so where none does', async () => {
    const supported = await checkIoWeightSupport(KERNEL_FOLDERS).then(
      () => true,
      () => false,
    );
    const deploying = fixture.deploy({ command: ['sleep', '60'], ioWeight: 200 });
    if (!supported) {
      await assert.rejects(deploying, { code: 'ERR_CONTAINER_LIMIT_UNSUPPORTED', message: /^ioWeight: / });
      return;
    }
    const { container } = await deploying;
    const weight = await fromCgroup(container.pid!, 'blkio', 'blkio.bfq.weight', 'io.bfq.weight');
    assert.match(weight, /\b200$/);
  });

  describe('on other kernels', () => {
    /** Folders as a kernel shows them, made of their files. */
    async function kernel(files: Record<string, string>) {
      for (const [file, content] of Object.entries({ 'cgroups/x': '', 'disks/x': '', ...files })) {
        await mkdir(dirname(join(fixture.path, 'kernel', file)), { recursive: true });
        await writeFile(join(fixture.path, 'kernel', file), content);
      }
      return { cgroups: join(fixture.path, 'kernel/cgroups'), disks: join(fixture.path, 'kernel/disks') };
    }
    const limits = (limit: object) => completeSpec({ image: 'web', ...limit });
    const unsupported = (field: string, hint: RegExp) => (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'ERR_CONTAINER_LIMIT_UNSUPPORTED');
      assert.ok(error.message.startsWith(`${field}: `), error.message);
      assert.match(error.hint, hint);
      return true;
    };
    const V1 = {
      'cgroups/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'cgroups/cpu/cpu.cfs_quota_us': '-1\n',
      'cgroups/pids/cgroup.procs': '',
    };
    const V2 = {
      'cgroups/cgroup.controllers': 'cpuset cpu io memory pids\n',
      'cgroups/system.slice/cgroup.controllers': 'cpu io memory pids\n',
      'cgroups/system.slice/memory.max': 'max\n',
      'cgroups/system.slice/memory.swap.max': 'max\n',
      'cgroups/system.slice/cpu.max': 'max 100000\n',
      'cgroups/system.slice/pids.max': 'max\n',
    };
    const WEIGHT_V2 = { 'cgroups/system.slice/io.bfq.weight': 'default 100\n' };

    it('asks runc for the same with both versions of cgroups', async () => {
      const spec = limits({ memory: 64 * MIB, swap: 8 * MIB, pids: 5, cpus: 1.5, ioWeight: 300 });
      const expected = {
        devices: [{ allow: false, access: 'rwm' }],
        memory: { limit: 64 * MIB, swap: 72 * MIB },
        pids: { limit: 5 },
        cpu: { quota: 150_000, period: 100_000 },
        blockIO: { weight: 300 },
      };
      const disk = { 'disks/mmcblk0/queue/scheduler': 'none mq-deadline [bfq]\n' };
      const second = await kernel({ ...V2, ...WEIGHT_V2, ...disk });
      assert.deepEqual(await containerResources(spec, [], second), expected);
      await fixture.destroy();
      fixture = await ContainerFixture.create();
      const swap = { 'cgroups/memory/memory.memsw.limit_in_bytes': '9223372036854771712\n' };
      const weight = { 'cgroups/blkio/cgroup.procs': '', 'cgroups/blkio/garua/blkio.bfq.weight': '100\n' };
      const first = await kernel({ ...V1, ...swap, ...weight, ...disk });
      assert.deepEqual(await containerResources(spec, [], first), expected);
    });

    it('keeps a container out of swap where it can, and starts it where it cannot', async () => {
      const folders = await kernel(V1);
      const spec = limits({ memory: 64 * MIB });
      assert.deepEqual((await containerResources(spec, [], folders)).memory, { limit: 64 * MIB });
      await kernel({ 'cgroups/memory/memory.memsw.limit_in_bytes': '' });
      const { memory } = await containerResources(spec, [], folders);
      assert.deepEqual(memory, { limit: 64 * MIB, swap: 64 * MIB });
    });

    it('says what is missing, and what to do', async () => {
      const bare = await kernel({ 'cgroups/memory/cgroup.procs': '' });
      const refused = (limit: object) => containerResources(limits(limit), [], bare);
      await assert.rejects(refused({ memory: 64 * MIB }), { code: 'ERR_CONTAINER_MEMORY_LIMIT_UNSUPPORTED' });
      await assert.rejects(refused({ pids: 5 }), unsupported('pids', /kernel/));
      await assert.rejects(refused({ cpus: 0.5 }), unsupported('cpus', /kernel/));
      await assert.rejects(refused({ ioWeight: 50 }), unsupported('ioWeight', /kernel/));
      assert.deepEqual(await containerResources(limits({}), [], bare), {
        devices: [{ allow: false, access: 'rwm' }],
      });
      const noSwap = await kernel(V1);
      const swapping = containerResources(limits({ memory: 64 * MIB, swap: MIB }), [], noSwap);
      await assert.rejects(swapping, unsupported('swap', /swapaccount=1/));
    });

    it('refuses a weight that no disk would look at', async () => {
      const deadline = { 'disks/mmcblk0/queue/scheduler': 'none [mq-deadline] bfq\n' };
      const folders = await kernel({ ...V2, ...WEIGHT_V2, ...deadline });
      await assert.rejects(checkIoWeightSupport(folders), unsupported('ioWeight', /echo bfq/));
      await kernel({ 'cgroups/io.cost.qos': '179:0 enable=1 ctrl=auto\n' });
      await checkIoWeightSupport(folders);
    });

    it('reads limits and deaths back from both versions', async () => {
      const { cgroups } = await kernel({
        'cgroups/memory/garua/one/memory.limit_in_bytes': '1048576\n',
        'cgroups/memory/garua/one/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
        'cgroups/memory/garua/free/memory.limit_in_bytes': '9223372036854771712\n',
        'cgroups/garua/two/memory.max': '2097152\n',
        'cgroups/garua/two/memory.events': 'low 0\nhigh 0\nmax 9\noom 3\noom_kill 3\n',
        'cgroups/garua/open/memory.max': 'max\n',
      });
      const limit = (id: string) => memoryLimitOf(id, cgroups);
      assert.deepEqual(await Promise.all(['one', 'two', 'free', 'open', 'gone'].map(limit)), [
        ...[1 << 20, 2 << 20],
        ...[undefined, undefined, undefined],
      ]);
      assert.deepEqual(
        await Promise.all(['one', 'two', 'gone'].map((id) => outOfMemoryKills(id, cgroups))),
        [2, 3, 0],
      );
    });
  });
});
