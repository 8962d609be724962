import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findProgram,
  HOST_PACKAGES,
  type HostPackage,
  isStaticProgram,
  missingPackages,
  type Purpose,
} from '../../../lib/host/setup';

function fake(name: string, purpose: Purpose, present: boolean): HostPackage {
  return { name, purpose, use: 'is a test', isPresent: () => present };
}

describe('host/setup packages', () => {
  const packages = [
    fake('runc', 'containers', false),
    fake('conmon', 'containers', true),
    fake('skopeo', 'demo', false),
    fake('chromium', 'tests', false),
  ];
  const expected: [Purpose, string[]][] = [
    ['containers', ['runc']],
    ['demo', ['runc', 'skopeo']],
    ['tests', ['runc', 'skopeo', 'chromium']],
  ];
  for (const [purpose, names] of expected) {
    it(`names what is missing for ${purpose}, and nothing that is here`, () => {
      assert.deepEqual(
        missingPackages(purpose, packages).map(({ name }) => name),
        names,
      );
    });
  }

  it('asks only for packages with distinct, plain names', () => {
    const names = HOST_PACKAGES.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^[a-z0-9][a-z0-9+.-]+$/);
  });

  it('knows a static program from one that needs libraries, and both from a script', () => {
    assert.equal(isStaticProgram(findProgram('busybox')), true);
    assert.equal(isStaticProgram(process.execPath), false);
    assert.equal(isStaticProgram(__filename), false);
    assert.equal(isStaticProgram(undefined), false);
  });

  it('finds programs on PATH first, and only those that can be run', () => {
    const folder = mkdtempSync(join(tmpdir(), 'garua-path-'));
    try {
      writeFileSync(join(folder, 'sh'), '#!/bin/sh\n');
      assert.notEqual(findProgram('sh', folder), join(folder, 'sh'));
      chmodSync(join(folder, 'sh'), 0o755);
      assert.equal(findProgram('sh', folder), join(folder, 'sh'));
      assert.equal(findProgram('garua-no-such-program', folder), undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
