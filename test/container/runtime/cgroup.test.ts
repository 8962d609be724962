import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { removeCgroups } from '../../../lib/container/runtime/cgroup';
import { temporaryFolder } from '../../support/temporary';

describe('container: cgroups', () => {
  const temporary = temporaryFolder();
  for (const [version, hierarchies] of [
    [1, ['memory', 'pids', 'systemd']],
    [2, ['']],
  ] as const) {
    it(`of version ${version} are taken away but for those in use, and those of others`, async () => {
      const folder = temporary.join(`v${version}`);
      const at = (...parts: string[]) => temporary.join(`v${version}`, ...parts);
      for (const hierarchy of hierarchies) {
        for (const name of ['monitors', '0123']) mkdirSync(at(hierarchy, 'garua', name), { recursive: true });
      }
      mkdirSync(at('user.slice/garua'), { recursive: true });
      if (version === 2) writeFileSync(at('cgroup.controllers'), 'memory pids');
      // The kernel refuses the removal of a cgroup with processes, as it does that of a folder with files.
      writeFileSync(at(hierarchies[0], 'garua/0123/busy'), '');
      await removeCgroups(folder);
      assert.deepEqual(
        hierarchies.map((hierarchy) => existsSync(at(hierarchy, 'garua'))),
        hierarchies.map((_, index) => index === 0),
      );
      assert.ok(
        existsSync(at(hierarchies[0], 'garua/0123')) && !existsSync(at(hierarchies[0], 'garua/monitors')),
      );
      assert.equal(existsSync(at('user.slice/garua')), version === 2);
    });
  }
});
