import assert from 'node:assert/strict';
import type { ContainerSpec } from '../../lib/container';
import { completeSpec } from '../../lib/container/spec/complete';
import { specDigest } from '../../lib/container/spec-digest';

const mount = (target: unknown, source: unknown = '/srv', more = {}) => ({
  mounts: [{ source, target, ...more }],
});

const WRONG: [Record<string, unknown>, string][] = [
  [{ image: 7 }, 'image'],
  [{ image: '' }, 'image'],
  [{ image: undefined }, 'image'],
  [{ colour: 'red' }, 'colour'],
  [{ command: 'ls -l' }, 'command'],
  [{ command: [1] }, 'command[0]'],
  [{ command: ['a\0b'] }, 'command[0]'],
  [{ entrypoint: [''] }, 'entrypoint[0]'],
  [{ env: ['A=1'] }, 'env'],
  [{ env: { A: 1 } }, 'env.A'],
  [{ env: { 'A=B': '1' } }, 'env'],
  [{ env: { '': '1' } }, 'env name'],
  [{ workingDirectory: 'srv' }, 'workingDirectory'],
  [{ workingDirectory: '/srv/../..' }, 'workingDirectory'],
  [{ user: 'a:b:c' }, 'user'],
  [{ user: 'a b' }, 'user'],
  [{ hostname: 'a_b' }, 'hostname'],
  [{ hostname: '-a' }, 'hostname'],
  [{ hostname: `${'a'.repeat(40)}.${'b'.repeat(40)}` }, 'hostname'],
  [{ mounts: {} }, 'mounts'],
  [{ mounts: [null] }, 'mounts[0]'],
  [mount('data'), 'mounts[0].target'],
  [mount('/data', 'srv'), 'mounts[0].source'],
  [mount('/data/../etc'), 'mounts[0].target'],
  [mount('/'), 'mounts[0].target'],
  [mount('/./'), 'mounts[0].target'],
  [mount('/proc/self'), 'mounts[0].target'],
  [mount('/data', '/srv', { readOnly: 'yes' }), 'mounts[0].readOnly'],
  [{ mounts: [...mount('/a').mounts, ...mount('/a/').mounts] }, 'mounts[1].target'],
  [{ network: 'moon' }, 'network'],
  [{ ports: [{ hostPort: 0, containerPort: 80 }] }, 'ports[0].hostPort'],
  [{ ports: [{ hostPort: 80, containerPort: 65536 }] }, 'ports[0].containerPort'],
  [{ ports: [{ hostPort: 80, containerPort: 80, protocol: 'sctp' }] }, 'ports[0].protocol'],
  [{ ports: [{ hostPort: 80, containerPort: 80, hostAddress: 'here' }] }, 'ports[0].hostAddress'],
  [{ network: 'host', ports: [{ hostPort: 80, containerPort: 80 }] }, 'ports'],
  [{ network: 'none', ports: [{ hostPort: 80, containerPort: 80 }] }, 'ports'],
  [{ memory: '64m' }, 'memory'],
  [{ memory: 1024 }, 'memory'],
  [{ labels: { a: 1 } }, 'labels.a'],
  [{ capabilities: ['NET_ADMIN'] }, 'capabilities'],
  [{ capabilities: { add: ['FLY'] } }, 'capabilities.add[0]'],
  [{ capabilities: { drop: ['net_raw'] } }, 'capabilities.drop[0]'],
  [{ extraHosts: { web: 'nowhere' } }, 'extraHosts.web'],
  [{ extraHosts: { web: 'host-gateway' }, network: 'none' }, 'extraHosts.web'],
  [{ groups: ['a:b'] }, 'groups[0]'],
  [{ privileged: 'yes' }, 'privileged'],
  [{ cpus: 0 }, 'cpus'],
  [{ cpus: 100_000 }, 'cpus'],
  [{ pids: 0 }, 'pids'],
  [{ ioWeight: 1001 }, 'ioWeight'],
  [{ swap: 1 }, 'swap'],
  [{ devices: [{ source: 'ttyUSB0' }] }, 'devices[0].source'],
  [{ devices: [{ source: '/dev/../etc/passwd' }] }, 'devices[0].source'],
  [{ devices: [{ source: '/dev/x', target: '/etc/x' }] }, 'devices[0].target'],
  [{ devices: [{ source: '/dev/x', permissions: 'rr' }] }, 'devices[0].permissions'],
  [{ mounts: [{ type: 'volume', source: '../x', target: '/x' }] }, 'mounts[0].source'],
  [{ mounts: [{ type: 'tmpfs', source: '/x', target: '/x' }] }, 'mounts[0].source'],
];

describe('container: what a spec may say', () => {
  for (const [fields, field] of WRONG) {
    it(`refuses ${JSON.stringify(fields)}, naming ${field}`, () => {
      const spec = { image: 'busybox', ...fields } as ContainerSpec;
      assert.throws(
        () => completeSpec(spec),
        (error: Error & { code: string; hint: string }) => {
          assert.equal(error.code, 'ERR_INVALID_ARGUMENT');
          assert.ok(error.message.startsWith(`${field}`), error.message);
          assert.ok(error.hint);
          return true;
        },
      );
    });
  }

  for (const name of ['', '-a', '.a', 'a b', 'a/b', 'ä', 'a'.repeat(64), 7, null]) {
    it(`refuses the name ${JSON.stringify(name)}`, () => {
      const spec = { image: 'busybox', name } as ContainerSpec;
      assert.throws(() => completeSpec(spec), { code: 'ERR_CONTAINER_NAME_INVALID' });
    });
  }

  for (const [image, name] of [
    ['busybox', 'busybox'],
    ['registry.example:5000/team/web-app:1.2', 'web-app'],
    ['web@sha256:0123', 'web'],
    ['oci:/srv/images/web', 'web'],
    ['oci:/srv/images/web:latest', 'web'],
    ['docker-archive:image.tar', 'image.tar'],
    ['_', 'container'],
  ]) {
    it(`names a container of ${image} ${name}`, () => {
      assert.equal(completeSpec({ image: image! }).name, name);
    });
  }

  it('has one digest for specs that mean the same, and another for each that does not', () => {
    const digest = (spec: Partial<ContainerSpec>, image = 'sha256:1') =>
      specDigest(completeSpec({ image: 'web', ...spec }), image);
    const plain = digest({});
    assert.equal(digest({ env: {}, mounts: [], labels: {}, name: 'web' }), plain);
    assert.equal(digest({ env: { A: '1', B: '2' } }), digest({ env: { B: '2', A: '1' } }));
    assert.equal(
      digest({ mounts: [{ source: '/srv//x', target: '/x/' }] }),
      digest({ mounts: [{ source: '/srv/x', target: '/x', readOnly: false }] }),
    );
    assert.equal(
      digest({ capabilities: { add: ['NET_ADMIN', 'CAP_SYS_TIME'] } }),
      digest({ capabilities: { add: ['SYS_TIME', 'NET_ADMIN'], drop: [] } }),
    );
    const others = [
      { env: { A: '' } },
      { command: ['a'] },
      { command: [] },
      { user: 'web' },
      { memory: 64 << 20 },
      { network: 'host' as const },
    ];
    const digests = [plain, digest({}, 'sha256:2'), ...others.map((spec) => digest(spec))];
    assert.equal(new Set(digests).size, digests.length);
  });
});
