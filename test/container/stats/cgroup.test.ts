import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readCgroup } from '../../../lib/container/stats/cgroup';
import { readTraffic } from '../../../lib/container/stats/network';
import { temporaryFolder } from '../../support/temporary';

describe('container: what a cgroup counts', () => {
  const folder = temporaryFolder();

  function write(root: string, files: Record<string, string>): string {
    for (const [file, content] of Object.entries(files)) {
      const path = folder.join(root, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
    return folder.join(root);
  }

  it('is read from version 2', async () => {
    const root = write('v2', {
      'cgroup.controllers': 'cpuset cpu io memory pids\n',
      'garua/box/cpu.stat':
        'usage_usec 12345678\nuser_usec 2345678\nsystem_usec 10000000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 2500000\n',
      'garua/box/memory.current': '41943040\n',
      'garua/box/memory.stat':
        'anon 1000\nfile 2000\nkernel_stack 3\ninactive_file 10485760\nactive_file 5\n',
      'garua/box/memory.max': '67108864\n',
      'garua/box/memory.swap.current': '4096\n',
      'garua/box/pids.current': '7\n',
      'garua/box/pids.max': 'max\n',
      'garua/box/io.stat':
        '8:0 rbytes=1000 wbytes=20 rios=3 wios=4 dbytes=9 dios=1\n179:0 rbytes=500 wbytes=7 rios=1 wios=1 dbytes=0 dios=0\n',
    });
    assert.deepEqual(await readCgroup('box', root), {
      cpuSeconds: 12.345678,
      throttledSeconds: 2.5,
      memory: 31457280,
      memoryLimit: 67108864,
      swap: 4096,
      processes: 7,
      processLimit: null,
      readBytes: 1500,
      writtenBytes: 27,
    });
  });

  it('is read from version 1', async () => {
    const root = write('v1', {
      'cpuacct/garua/box/cpuacct.usage': '12345000000\n',
      'cpu/garua/box/cpu.stat': 'nr_periods 10\nnr_throttled 4\nthrottled_time 2500000000\n',
      'memory/garua/box/memory.usage_in_bytes': '41943040\n',
      'memory/garua/box/memory.stat':
        'cache 1\nswap 1\ninactive_file 3\ntotal_cache 5\ntotal_swap 4096\ntotal_inactive_file 10485760\n',
      'memory/garua/box/memory.limit_in_bytes': '9223372036854771712\n',
      'pids/garua/box/pids.current': '7\n',
      'pids/garua/box/pids.max': '4096\n',
      'blkio/garua/box/blkio.throttle.io_service_bytes_recursive':
        '8:0 Read 1000\n8:0 Write 20\n8:0 Sync 1020\n8:0 Async 0\n8:0 Total 1020\n179:0 Read 500\n179:0 Write 7\nTotal 1527\n',
    });
    assert.deepEqual(await readCgroup('box', root), {
      cpuSeconds: 12.345,
      throttledSeconds: 2.5,
      memory: 31457280,
      memoryLimit: null,
      swap: 4096,
      processes: 7,
      processLimit: 4096,
      readBytes: 1500,
      writtenBytes: 27,
    });
  });

  it('is null where the kernel does not count it, as memory on a Raspberry Pi by default', async () => {
    const root = write('pi', {
      'cgroup.controllers': 'cpu pids\n',
      'garua/box/cpu.stat': 'usage_usec 1000000\nuser_usec 1\nsystem_usec 1\n',
    });
    const usage = await readCgroup('box', root);
    assert.equal(usage.cpuSeconds, 1);
    assert.equal(usage.throttledSeconds, null);
    assert.equal(usage.memory, null);
    assert.equal(usage.processes, null);
  });

  it('of the network, loopback is left out', async () => {
    const proc = write('proc', {
      '77/net/dev': `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   99999      10    0    0    0     0          0         0    99999      10    0    0    0     0       0          0
  eth0: 1234567     100    0    0    0     0          0         0   654321      90    0    0    0     0       0          0
  eth1:       1       1    0    0    0     0          0         0        2       1    0    0    0     0       0          0
`,
    });
    assert.deepEqual(await readTraffic(77, proc), { receivedBytes: 1234568, sentBytes: 654323 });
    assert.deepEqual(await readTraffic(78, proc), { receivedBytes: null, sentBytes: null });
  });
});
