import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLogin } from '../../../lib/image/registry';

describe('credentials', () => {
  let folder: string;
  let file: string;
  let config: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'garua-credentials-'));
    file = join(folder, 'credentials.json');
    config = join(folder, 'config.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const password = (username: string, secret: string) => ({
    login: { kind: 'password', username, password: secret },
  });
  const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
  const inDocker = (registry: string, document: unknown, options = {}) => {
    writeFileSync(config, JSON.stringify(document));
    return findLogin(registry, { dockerConfig: { path: config, ...options } });
  };
  const helper = (name: string, script: string) => {
    writeFileSync(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, `docker-credential-${name}`), 0o755);
    return { env: { PATH: `${folder}:${process.env.PATH}` } };
  };

  it('are taken from the pull, then the store, then Docker', async () => {
    writeFileSync(file, JSON.stringify({ 'h:1': { username: 'store', password: 'b' } }), { mode: 0o600 });
    writeFileSync(config, JSON.stringify({ auths: { 'h:1': auth('docker:c'), 'h:2': auth('docker:d') } }));
    const given = { registry: 'h:1', credentials: { username: 'given', password: 'a' } };
    const dockerConfig = { path: config };
    assert.deepEqual(await findLogin('h:1', { given, file, dockerConfig }), password('given', 'a'));
    assert.deepEqual(await findLogin('h:1', { file, dockerConfig }), password('store', 'b'));
    assert.deepEqual(await findLogin('h:1', { dockerConfig }), password('docker', 'c'));
    assert.deepEqual(await findLogin('h:2', { given, file, dockerConfig }), password('docker', 'd'));
    assert.deepEqual(await findLogin('h:3', { given, file, dockerConfig }), {});
    assert.deepEqual(await findLogin('h:2', { given, file, dockerConfig: null }), {});
  });

  it('of the store are refused when others may read them', async () => {
    writeFileSync(file, '{}', { mode: 0o640 });
    chmodSync(file, 0o640);
    await assert.rejects(findLogin('h', { file, dockerConfig: null }), {
      code: 'ERR_REGISTRY_CONFIGURATION',
      hint: /chmod 600/,
    });
  });

  it('that cannot be read are reported without quoting them', async () => {
    writeFileSync(file, '{"h": {"username": "u", "password": "hunter2"', { mode: 0o600 });
    await assert.rejects(findLogin('h', { file, dockerConfig: null }), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'ERR_REGISTRY_CONFIGURATION');
      assert.ok(!`${error.message} ${error.stack} ${String(error.cause)}`.includes('hunter2'));
      return true;
    });
  });

  it('of Docker are found under all spellings of a registry', async () => {
    const hub = { auths: { 'https://index.docker.io/v1/': auth('u:p:with:colons') } };
    assert.deepEqual(await inDocker('docker.io', hub), password('u', 'p:with:colons'));
    const other = { auths: { 'https://host.example:5000/v2/': auth('u:p\0\0') } };
    assert.deepEqual(await inDocker('host.example:5000', other), password('u', 'p'));
    assert.deepEqual(await inDocker('host.example', other), {});
  });

  it('of Docker may be tokens', async () => {
    const identity = { auths: { h: { ...auth('u:'), identitytoken: 'refresh' } } };
    assert.deepEqual(await inDocker('h', identity), { login: { kind: 'identity', token: 'refresh' } });
    assert.deepEqual(await inDocker('h', { auths: { h: { registrytoken: 't' } } }), {
      login: { kind: 'bearer', token: 't' },
    });
  });

  it('come from the helper of a registry, else from the one for all', async () => {
    const options = helper(
      'own',
      'read server; echo "{\\"Username\\":\\"own\\",\\"Secret\\":\\"$server\\"}"',
    );
    helper('all', 'read server; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"$server\\"}"');
    const document = { credHelpers: { 'h:1': 'own' }, credsStore: 'all' };
    assert.deepEqual(await inDocker('h:1', document, options), password('own', 'h:1'));
    assert.deepEqual(await inDocker('docker.io', document, options), {
      login: { kind: 'identity', token: 'https://index.docker.io/v1/' },
    });
  });

  it('are absent, with the reason, when a helper fails', async () => {
    const options = helper('bad', 'echo secret-thing; exit 3');
    helper('none', 'echo credentials not found in native keychain; exit 1');
    helper('garbage', 'echo {\\"Secret\\": hunter2');
    helper('slow', 'sleep 60');
    const ask = (name: string, more = {}) => inDocker('h', { credsStore: name }, { ...options, ...more });
    assert.deepEqual(await ask('none'), {});
    assert.deepEqual(await ask('bad'), { problem: 'docker-credential-bad failed (status 3)' });
    assert.deepEqual(await ask('garbage'), { problem: 'docker-credential-garbage gave no JSON' });
    assert.deepEqual(await ask('missing'), { problem: 'docker-credential-missing could not be asked' });
    assert.deepEqual(await ask('slow', { helperTimeoutMs: 100 }), {
      problem: 'docker-credential-slow could not be asked',
    });
    assert.match((await ask('../../bin/sh')).problem!, /not the name of a program/);
  });

  it('fall back to the file when the helper has none', async () => {
    const options = helper('none', 'echo credentials not found; exit 1');
    const document = { credsStore: 'none', auths: { h: auth('u:p') } };
    assert.deepEqual(await inDocker('h', document, options), password('u', 'p'));
  });

  it('of a broken Docker configuration do not stop an anonymous pull', async () => {
    writeFileSync(config, '{');
    const { login, problem } = await findLogin('h', { dockerConfig: { path: config } });
    assert.equal(login, undefined);
    assert.match(problem!, /not valid JSON/);
    assert.deepEqual(await findLogin('h', { dockerConfig: { path: join(folder, 'none') } }), {});
  });
});
