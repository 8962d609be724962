import assert from 'node:assert/strict';
import { DataDirectory } from '../../../lib/base';
import type { ContainerEngine, ContainerRecord } from '../../../lib/container';
import { answerPreflight, type PreflightParts } from '../../../lib/host/migration/preflight';
import { CriuCheckpointer } from '../../../lib/migration/checkpoint';
import type { PreflightRequest } from '../../../lib/migration/protocol';
import { describeWithCriu } from '../../container/move/support';
import { temporaryFolder } from '../../support/temporary';

const GB = 1 << 30;

const RECORD = {
  spec: {
    name: 'box',
    ports: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    mounts: [],
    devices: [],
  },
  image: { ref: 'docker.io/library/busybox:1', digest: 'sha256:0' },
  layers: [],
} as unknown as ContainerRecord;

describe('what stands in the way of a container that is to come', () => {
  const folder = temporaryFolder();

  function ask(
    request: Partial<PreflightRequest>,
    { promised = 0, holder = 'nobody' }: { promised?: number; holder?: string } = {},
  ) {
    const containers =
      holder === 'nobody' ? [] : [{ name: holder, ports: [{ hostPort: 8080, containerPort: 1 }] }];
    const engine = { list: async () => containers, validate: async () => {} } as unknown as ContainerEngine;
    const parts: PreflightParts = {
      ...{ directory: new DataDirectory(folder.path), checkpointer: new CriuCheckpointer(), engine },
      ...{ fence: 7, promised },
    };
    const { arch: architecture } = process;
    return answerPreflight(parts, {
      ...{ name: 'box', record: RECORD, architecture, facts: null, memory: 1, files: 1, ...request },
    });
  }

  it('is nothing where it can come', async () => {
    assert.deepEqual(await ask({}), { problems: [], checkpointProblems: [], fence: 7 });
  });

  it('is memory that is not there, or promised to others; the disk; another processor; a port that is taken', async () => {
    const problems = async (...words: Parameters<typeof ask>) => (await ask(...words)).problems.join('; ');
    assert.match(await problems({ memory: 2 ** 50 }), /^it uses .* of memory, and .* are free$/);
    assert.match(await problems({ memory: GB }, { promised: 2 ** 50 }), /of memory, and 0 .*are free$/);
    assert.match(await problems({ files: 2 ** 60 }), /^its files take /);
    assert.match(await problems({ architecture: 'riscv64' }), /^it is for riscv64, and the host is /);
    assert.match(await problems({}, { holder: 'other' }), /^port 8080 is taken by other$/);
  });

  describeWithCriu('with a checkpoint', () => {
    it('is an instruction that this processor lacks', async () => {
      const facts = await new CriuCheckpointer().facts();
      assert.deepEqual((await ask({ facts })).checkpointProblems, []);
      const more = { ...facts, cpuFeatures: [...facts.cpuFeatures, 'avx9000'] };
      const { problems, checkpointProblems } = await ask({ facts: more });
      assert.deepEqual(problems, []);
      assert.match(checkpointProblems.join('; '), /^this host's processor lacks avx9000, which/);
    });
  });
});
