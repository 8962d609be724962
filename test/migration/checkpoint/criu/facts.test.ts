import assert from 'node:assert/strict';
import type { CheckpointFacts } from '../../../../lib/migration/checkpoint';
import { features, incompatibilities } from '../../../../lib/migration/checkpoint/criu/facts';

const FACTS: CheckpointFacts = {
  engine: 'criu',
  engineVersion: '4.2.1',
  architecture: 'x64',
  kernel: '6.12.34+rpt',
  cpuFeatures: ['avx', 'avx2', 'sse4_2'],
};

describe('migration: what a checkpoint needs of a host', () => {
  it('reads what programs can use of a processor, and leaves out what only the kernel uses', () => {
    const x86 = 'processor\t: 0\nflags\t\t: fpu vme sse sse2 avx2 aes md_clear arat ibrs\nbugs\t\t: swapgs\n';
    assert.deepEqual(features(x86), ['aes', 'avx2', 'sse', 'sse2']);
    const arm = 'processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\n';
    assert.deepEqual(features(arm), ['asimd', 'cpuid', 'crc32', 'evtstrm', 'fp']);
    assert.deepEqual(features('model name\t: unknown\n'), []);
  });

  it('finds nothing wrong with a host of the same kind, or with a newer one', () => {
    assert.deepEqual(incompatibilities(FACTS, FACTS), []);
    const newer = { engineVersion: '4.10', kernel: '7.0.1', cpuFeatures: [...FACTS.cpuFeatures, 'avx512f'] };
    assert.deepEqual(incompatibilities(FACTS, { ...FACTS, ...newer }), []);
  });

  it('names each thing that a host lacks', () => {
    const cases: [Partial<CheckpointFacts>, RegExp][] = [
      [{ cpuFeatures: ['sse4_2'] }, /processor lacks avx, avx2/],
      [{ kernel: '6.6.20' }, /Linux 6\.12\.34\+rpt, and this host has the older 6\.6\.20/],
      [{ engineVersion: '4.1.1' }, /criu 4\.2\.1, and this host has the older 4\.1\.1/],
      [{ architecture: 'arm64', cpuFeatures: ['fp'] }, /^it is for x64, and this host is arm64$/],
      [{ engine: 'dmtcp' }, /made by criu, and this host has dmtcp/],
    ];
    for (const [change, wanted] of cases) {
      const reasons = incompatibilities(FACTS, { ...FACTS, ...change });
      assert.equal(reasons.length, 1);
      assert.match(reasons[0]!, wanted);
    }
  });
});
