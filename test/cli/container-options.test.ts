import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../../lib/cli/command';
import { CONTAINER_OPTIONS, containerSpec } from '../../lib/cli/container-options';
import type { ContainerSpec } from '../../lib/container';

function specOf(words: string): ContainerSpec {
  const args = words.split(' ').filter(Boolean);
  const { values } = parseArgs({ args, options: CONTAINER_OPTIONS });
  const signal = new AbortController().signal;
  return containerSpec({ options: values, positionals: ['box'], rest: [], signal });
}

describe('garua run: what its options mean', () => {
  const meanings: [string, Partial<ContainerSpec>][] = [
    ['-v /srv:/data:ro', { mounts: [{ source: '/srv', target: '/data', readOnly: true }] }],
    ['-v ./srv:/data', { mounts: [{ source: resolve('srv'), target: '/data', readOnly: false }] }],
    ['-v cache:/data', { mounts: [{ type: 'volume', source: 'cache', target: '/data', readOnly: false }] }],
    ['--tmpfs /tmp:1m', { mounts: [{ type: 'tmpfs', target: '/tmp', size: 1 << 20 }] }],
    ['-p 8080:80', { ports: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] }],
    [
      '-p 127.0.0.1:53:53/udp',
      { ports: [{ hostAddress: '127.0.0.1', hostPort: 53, containerPort: 53, protocol: 'udp' }] },
    ],
    ['--device /dev/gpiochip0', { devices: [{ source: '/dev/gpiochip0' }] }],
    ['--device /dev/a:/dev/b:r', { devices: [{ source: '/dev/a', target: '/dev/b', permissions: 'r' }] }],
    ['--device /dev/a:rw', { devices: [{ source: '/dev/a', permissions: 'rw' }] }],
    ['--memory 64m --swap 1m --cpus 0.25 --pids 9', { memory: 64 << 20, swap: 1 << 20, cpus: 0.25, pids: 9 }],
    ['--restart always', { restart: { policy: 'always' } }],
    ['--restart on-failure:3', { restart: { policy: 'on-failure', maximumRetries: 3 } }],
    ['--probe http://:8080/up', { liveness: { http: 'http://:8080/up' } }],
    ['--probe tcp://:22', { liveness: { tcp: 22 } }],
    ['--ready-probe exec:true', { readiness: { exec: ['sh', '-c', 'true'] } }],
    ['--probe tcp://:22 --probe-interval 500ms', { liveness: { tcp: 22, intervalMs: 500 } }],
    ['--add-host a:::1 --label k=v=w', { extraHosts: { a: '::1' }, labels: { k: 'v=w' } }],
    ['--cap-drop ALL', { capabilities: { add: [], drop: ['ALL'] } }],
    ['--service web --group-add gpio --read-only', { service: 'web', groups: ['gpio'], readOnlyRoot: true }],
  ];
  for (const [words, expected] of meanings) {
    it(words, () => {
      const spec = specOf(words);
      for (const [field, value] of Object.entries(expected)) {
        assert.deepEqual(spec[field as keyof ContainerSpec], value, field);
      }
    });
  }

  const wrong = [
    '--cpus much',
    '--cpus 0',
    '--memory x',
    '--device gpio',
    '--restart sometimes',
    '--restart always:3',
    '--probe ftp://x',
    '--probe-interval 5s',
    '--probe tcp://:1 --start-period 5',
    '--add-host nothing',
    '--tmpfs relative',
    '--label =v',
  ];
  for (const words of wrong) {
    it(`${words}: wrong usage`, () => {
      assert.throws(() => specOf(words), UsageError);
    });
  }
});
