import assert from 'node:assert/strict';
import { AbortedError, ToolFailedError, ToolMissingError } from '../../../lib/base';
import { aptGet, type Execute, installPackages, type SetupError } from '../../../lib/host/setup';

/** An apt-get that fails with these texts, one call after another, and then succeeds. */
function aptThatSays(...failures: (string | Error)[]): { execute: Execute; calls: string[] } {
  const calls: string[] = [];
  const execute: Execute = (_tool, args) => {
    calls.push(args.filter((word) => !/^-|::/.test(word)).join(' '));
    const failure = failures.shift();
    if (typeof failure === 'string') return Promise.reject(new ToolFailedError('apt-get', 100, failure));
    if (failure) return Promise.reject(failure);
    return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
  };
  return { execute, calls };
}

const LOCKED =
  'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)';

describe('host/setup installPackages', () => {
  it('installs all packages in one call, and asks apt nothing when there are none', async () => {
    const apt = aptThatSays();
    await installPackages(['runc', 'conmon'], apt);
    await installPackages([], apt);
    assert.deepEqual(apt.calls, ['install runc conmon']);
  });

  it('brings the lists up to date when they do not know a package', async () => {
    const apt = aptThatSays('E: Unable to locate package runc');
    await installPackages(['runc'], apt);
    assert.deepEqual(apt.calls, ['install runc', 'update', 'install runc']);
  });

  it('brings the lists up to date when they name files that are gone', async () => {
    const apt = aptThatSays(
      'E: Failed to fetch http://m.example/runc_1.deb  404  Not Found [IP: 192.0.2.1 80]',
    );
    await installPackages(['runc'], apt);
    assert.deepEqual(apt.calls, ['install runc', 'update', 'install runc']);
  });

  it('waits while another program installs', async () => {
    const apt = aptThatSays(LOCKED, LOCKED);
    await installPackages(['runc'], { ...apt, lockPollMs: 1 });
    assert.deepEqual(apt.calls, ['install runc', 'install runc', 'install runc']);
  });

  const failures: [string, string | Error, string][] = [
    ['a lock that is never given back', LOCKED, 'ERR_SETUP_LOCKED'],
    [
      'no network',
      "W: x\nE: Failed to fetch http://m.example/x  Temporary failure resolving 'm.example'",
      'ERR_SETUP_NETWORK',
    ],
    [
      'a mirror that is away',
      'Could not connect to m.example:80 (192.0.2.1), connection timed out',
      'ERR_SETUP_NETWORK',
    ],
    [
      'a package that does not exist',
      "E: Package 'runc' has no installation candidate",
      'ERR_SETUP_PACKAGE_UNKNOWN',
    ],
    [
      'a broken system',
      'E: Sub-process /usr/bin/dpkg returned an error code (1)',
      'ERR_SETUP_INSTALL_FAILED',
    ],
    ['no apt', new ToolMissingError('apt-get'), 'ERR_SETUP_NO_APT'],
  ];
  for (const [name, failure, code] of failures) {
    it(`says what is wrong: ${name}`, async () => {
      const apt = aptThatSays(failure, failure, failure);
      await assert.rejects(
        aptGet(['install', 'runc'], { ...apt, lockPatienceMs: 0 }),
        (error: SetupError) => error.code === code && error.hint.length > 0,
      );
    });
  }

  it('quotes what apt itself says', async () => {
    const apt = aptThatSays('Reading package lists...\nE: Unmet dependencies\nE: Second line');
    await assert.rejects(aptGet(['install', 'runc'], apt), /apt-get install runc failed: Unmet dependencies/);
  });

  it('passes on a cancellation as it is', async () => {
    const apt = aptThatSays(new AbortedError('apt-get'));
    await assert.rejects(installPackages(['runc'], apt), AbortedError);
  });
});
