import assert from 'node:assert/strict';
import { CreateRefused } from '../../../lib/container/runtime/conmon';
import { startFailure } from '../../../lib/container/runtime/failure';

describe('startFailure', () => {
  const codeOf = (error: unknown) => startFailure(error, 'box', 'image:1', 'program').code;

  it('tells a full disk from other reasons, whoever met it', () => {
    const said = 'write /data/containers/1/.container.pid: no space left on device';
    assert.equal(codeOf(new CreateRefused(said)), 'ERR_DISK_FULL');
    assert.equal(codeOf(Object.assign(new Error('full'), { code: 'ENOSPC' })), 'ERR_DISK_FULL');
    assert.equal(codeOf(new CreateRefused('something else')), 'ERR_CONTAINER_START_FAILED');
    assert.equal(codeOf(new Error('something else')), 'ERR_CONTAINER_START_FAILED');
  });
});
