import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { allCommands } from '../../lib/cli/commands';

describe('the commands', () => {
  it('are all there, each under the name of its file', () => {
    const files = readdirSync(join(__dirname, '../../lib/cli/commands'))
      .filter((file) => file.endsWith('.js') && file !== 'index.js')
      .map((file) => file.slice(0, -'.js'.length));
    assert.deepEqual(
      allCommands()
        .map(({ name }) => name)
        .sort(),
      files.sort(),
    );
  });
});
