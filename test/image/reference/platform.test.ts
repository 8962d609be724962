import assert from 'node:assert/strict';
import type { Descriptor } from '../../../lib/image/image';
import {
  amd64Variant,
  choosePlatform,
  formatPlatform,
  hostPlatform,
  parsePlatform,
  platformRank,
} from '../../../lib/image/reference';

function offer(platform?: string, annotations?: Record<string, string>): Descriptor {
  const digest = `sha256:${Buffer.from(platform ?? 'none')
    .toString('hex')
    .padEnd(64, '0')
    .slice(0, 64)}`;
  return {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest,
    size: 1,
    ...(platform ? { platform: parsePlatform(platform) } : {}),
    ...(annotations ? { annotations } : {}),
  };
}

function chosen(wanted: string, ...offers: string[]): string | undefined {
  const { platform } = choosePlatform(
    'x',
    offers.map((name) => offer(name)),
    parsePlatform(wanted),
  );
  return platform && formatPlatform(platform);
}

describe('platform', () => {
  it('is read and written', () => {
    assert.deepEqual(parsePlatform('linux/arm64/v8'), { os: 'linux', architecture: 'arm64', variant: 'v8' });
    assert.deepEqual(parsePlatform('Linux/AMD64'), { os: 'linux', architecture: 'amd64' });
    assert.deepEqual(parsePlatform('linux/aarch64'), { os: 'linux', architecture: 'arm64' });
    assert.deepEqual(parsePlatform('linux/armhf'), { os: 'linux', architecture: 'arm', variant: 'v7' });
    assert.equal(formatPlatform(parsePlatform('linux/arm/v6')), 'linux/arm/v6');
    for (const text of ['', 'linux', 'linux/', '/arm64', 'linux/arm/v7/x', 'linux arm64']) {
      assert.throws(() => parsePlatform(text), { code: 'ERR_IMAGE_PLATFORM_INVALID' });
    }
  });

  it('of this machine runs images of its own architecture', () => {
    const host = hostPlatform();
    assert.equal(host.os, 'linux');
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    assert.notEqual(platformRank(host, { os: 'linux', architecture }), undefined);
  });

  it('tells amd64 levels by the features of the CPU', () => {
    const v2 = 'cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3'.split(' ');
    const v3 = [...v2, ...'avx avx2 bmi1 bmi2 f16c fma abm movbe xsave'.split(' ')];
    const v4 = [...v3, ...'avx512f avx512bw avx512cd avx512dq avx512vl'.split(' ')];
    assert.equal(amd64Variant(new Set(v2.slice(1))), undefined);
    assert.equal(amd64Variant(new Set(v2)), 'v2');
    assert.equal(amd64Variant(new Set(v3)), 'v3');
    assert.equal(amd64Variant(new Set(v4)), 'v4');
  });

  const choices: [wanted: string, offers: string[], expected: string][] = [
    ['linux/arm64', ['linux/amd64', 'linux/arm64/v8'], 'linux/arm64/v8'],
    ['linux/arm64/v8', ['linux/arm/v7', 'linux/arm64'], 'linux/arm64'],
    ['linux/arm64/v9', ['linux/arm64'], 'linux/arm64'],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], 'linux/arm/v6'],
    ['linux/arm/v7', ['linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v7'],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 'linux/arm/v5'],
    ['linux/arm', ['linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v7'],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 'linux/amd64/v2'],
    ['linux/riscv64', ['linux/amd64', 'linux/riscv64'], 'linux/riscv64'],
  ];
  for (const [wanted, offers, expected] of choices) {
    it(`${wanted} takes ${expected} from ${offers.join(', ')}`, () => {
      assert.equal(chosen(wanted, ...offers), expected);
    });
  }

  it('takes the first of equals', () => {
    const first = offer('linux/amd64', { n: '1' });
    const second = offer('linux/amd64', { n: '2' });
    assert.equal(choosePlatform('x', [first, second], parsePlatform('linux/amd64')), first);
  });

  it('lists what is on offer when nothing fits', () => {
    const refusals: [wanted: string, offers: string[]][] = [
      ['linux/riscv64', ['linux/amd64', 'linux/arm64/v8']],
      ['linux/amd64', ['linux/amd64/v3']],
      ['linux/arm/v6', ['linux/arm/v7']],
      ['linux/amd64', ['windows/amd64']],
    ];
    for (const [wanted, offers] of refusals) {
      assert.throws(
        () => chosen(wanted, ...offers),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'ERR_IMAGE_PLATFORM_NOT_FOUND');
          for (const text of [wanted, ...offers]) assert.ok(error.message.includes(text), error.message);
          return true;
        },
      );
    }
  });

  it('never takes an attestation', () => {
    const attestation = offer('unknown/unknown');
    const marked = offer('linux/amd64', { 'vnd.docker.reference.type': 'attestation-manifest' });
    const image = offer('linux/amd64');
    const wanted = parsePlatform('linux/amd64');
    assert.equal(choosePlatform('x', [attestation, marked, image], wanted), image);
    assert.throws(() => choosePlatform('x', [attestation, marked], wanted), /no platform at all/);
  });

  it('takes the only one that names no platform', () => {
    const unnamed = offer();
    assert.equal(choosePlatform('x', [offer('linux/s390x'), unnamed], parsePlatform('linux/amd64')), unnamed);
    assert.throws(() => choosePlatform('x', [unnamed, offer()], parsePlatform('linux/amd64')), {
      code: 'ERR_IMAGE_PLATFORM_NOT_FOUND',
    });
  });
});
