import assert from 'node:assert/strict';
import { isTooOld } from '../../lib/cli/node-version';

describe('the version of Node.js', () => {
  for (const version of ['0.10.48', '18.20.8', '20.20.2', '22.14.0']) {
    it(`${version} is too old`, () => assert.equal(isTooOld(version), true));
  }
  for (const version of ['22.15.0', '22.15.1-rc.1', '22.20.0', '24.0.0', '26.1.0']) {
    it(`${version} will do`, () => assert.equal(isTooOld(version), false));
  }
});
