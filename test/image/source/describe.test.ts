import { deepEqual, equal, rejects } from 'node:assert/strict';
import { describeImage } from '../../../lib/image';
import { fileLayer, makeImage, makeIndex, writeOciLayout } from '../../support/images';
import { startRegistry } from '../../support/registry';
import { temporaryFolder } from '../../support/temporary';

describe('describeImage', () => {
  const folder = temporaryFolder();
  const layers = [fileLayer({ a: 'a' }), fileLayer({ b: 'b'.repeat(5_000) })];
  const [arm, amd] = ['arm64', 'amd64'].map((architecture) =>
    makeImage({ layers, platform: { os: 'linux', architecture }, config: { Cmd: [architecture] } }),
  );
  const attestation = { ...arm!.manifest.config, platform: { os: 'unknown', architecture: 'unknown' } };
  const index = makeIndex([arm!, amd!], { extra: [attestation] });

  it('tells the platform chosen, those offered, and the compressed size', async () => {
    const registry = await startRegistry();
    try {
      await registry.push(index, 'team/web', '1');
      const described = await describeImage(`${registry.host}/team/web:1`, { platform: 'linux/arm64' });
      deepEqual(described, {
        ref: `${registry.host}/team/web:1`,
        digest: arm!.digest,
        platform: 'linux/arm64',
        platforms: ['linux/arm64', 'linux/amd64'],
        size: arm!.manifest.layers.reduce((total, { size }) => total + size, 0),
        layers: 2,
      });
    } finally {
      await registry.stop();
    }
  });

  it('refuses what a pull would refuse', async () => {
    writeOciLayout(folder.join('layout'), [index], ['1']);
    const ref = `oci:${folder.join('layout')}:1`;
    equal((await describeImage(ref, { platform: 'linux/amd64' })).digest, amd!.digest);
    await rejects(describeImage(ref, { platform: 'linux/riscv64' }), {
      code: 'ERR_IMAGE_PLATFORM_NOT_FOUND',
    });
    await rejects(describeImage('UPPER'), { code: 'ERR_IMAGE_REFERENCE_INVALID' });
    await rejects(describeImage(ref, { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
  });
});
