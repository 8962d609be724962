import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { AbortedError, fromErrorDocument, InvalidArgumentError, toGaruaError } from '../../lib/base';

describe('errors', () => {
  it('carry code, message and hint over the control socket', () => {
    const error = fromErrorDocument(JSON.parse(JSON.stringify(new AbortedError('the pull'))));
    assert.deepEqual(error.toJSON(), new AbortedError('the pull').toJSON());
    assert.equal(error.code, 'ERR_ABORTED');
  });

  it('translate the common failures of the system', () => {
    const full = Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', path: '/data/x' });
    assert.equal(toGaruaError(full).code, 'ERR_DISK_FULL');
    assert.match(toGaruaError(full).message, /\/data\/x/);
    for (const code of ['EDQUOT', 'SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE']) {
      assert.equal(toGaruaError(Object.assign(new Error('full'), { code })).code, 'ERR_DISK_FULL');
    }
    const denied = Object.assign(new Error('EACCES: denied'), { code: 'EACCES' });
    assert.equal(toGaruaError(denied, 'writing').code, 'ERR_PERMISSION');
    assert.equal(toGaruaError(abortError()).code, 'ERR_ABORTED');
    const known = new InvalidArgumentError('x');
    assert.equal(toGaruaError(known), known);
    assert.equal(toGaruaError('a thrown text').code, 'ERR_INTERNAL');
    assert.ok(toGaruaError(unreadable()).cause);
  });
});

function abortError(): unknown {
  const controller = new AbortController();
  controller.abort();
  return controller.signal.reason;
}

function unreadable(): unknown {
  try {
    return readFileSync('/no/such/file');
  } catch (error) {
    return error;
  }
}
