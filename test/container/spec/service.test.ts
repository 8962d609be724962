import assert from 'node:assert/strict';
import type { ContainerSpec } from '../../../lib/container';
import { completeSpec } from '../../../lib/container/spec/complete';
import { serviceOf } from '../../../lib/container/spec/service';
import type { ImageConfig } from '../../../lib/image';

const image = (...exposed: string[]): ImageConfig => ({
  os: 'linux',
  architecture: 'arm64',
  config: { ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])) },
  rootfs: { type: 'layers', diff_ids: [] },
});

const service = (spec: Partial<ContainerSpec>, config = image()) =>
  serviceOf(completeSpec({ image: 'box', ...spec }), config);

describe('container: the service of a spec', () => {
  it('is reached at the port it names, else the first published, else the lowest exposed', () => {
    const ports = [
      { hostPort: 5000, containerPort: 50, protocol: 'udp' as const },
      { hostPort: 8000, containerPort: 80 },
    ];
    const exposed = image('9000/tcp', '53/udp', '443', '70000/tcp');
    assert.deepEqual(service({ service: 'web', servicePort: 99, ports }, exposed), { name: 'web', port: 99 });
    assert.deepEqual(service({ service: 'web', ports }, exposed), { name: 'web', port: 80 });
    assert.deepEqual(service({ service: 'web' }, exposed), { name: 'web', port: 443 });
  });

  it('is none without a name, a port or a network', () => {
    assert.equal(service({}, image('80/tcp')), null);
    assert.equal(service({ service: 'web' }), null);
    assert.equal(service({ service: 'web', network: 'none' }, image('80/tcp')), null);
  });

  it('refuses a port that nobody could ask for', () => {
    const refused = { code: 'ERR_INVALID_ARGUMENT' };
    assert.throws(() => service({ servicePort: 80 }), refused);
    assert.throws(() => service({ service: 'web', servicePort: 80, network: 'none' }), refused);
    assert.throws(() => service({ service: 'web', servicePort: 65_536 }), refused);
  });
});
