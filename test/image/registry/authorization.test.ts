import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPlatform } from '../../../lib/image/reference';
import {
  type FaultyRegistry,
  type FaultyRegistryOptions,
  startFaultyRegistry,
} from '../../support/faulty-registry';
import { makeImage } from '../../support/images';
import { openSource, readAll } from './support';

describe('registry tokens', () => {
  const image = makeImage();
  const layer = image.manifest.layers[0]!;
  const accounts = { maker: 'secret:with:colons' };
  const credentials = { username: 'maker', password: accounts.maker };
  let registry: FaultyRegistry;

  const start = async (options: FaultyRegistryOptions = {}) => {
    registry = await startFaultyRegistry({ auth: 'token', ...options });
    registry.add(image, 'a/b');
    return registry;
  };
  afterEach(() => registry.stop());

  it('are fetched once, without credentials, and used for all requests', async () => {
    await start();
    const source = openSource(`${registry.host}/a/b`);
    await source.resolve(hostPlatform());
    await readAll(await source.openBlob(layer, 0));
    await source.close();
    const [token, ...more] = registry.requestsOf('token');
    assert.equal(more.length, 0);
    const url = new URL(token!.path, 'http://x');
    assert.equal(url.searchParams.get('scope'), 'repository:a/b:pull');
    assert.equal(url.searchParams.get('service'), 'test, registry');
    assert.equal(token!.headers.authorization, undefined);
    assert.equal(registry.requests.filter(({ status }) => status === 401).length, 1);
  });

  it('are fetched with credentials', async () => {
    await start({ accounts });
    const source = openSource(`${registry.host}/a/b`, { credentials });
    await source.resolve(hostPlatform());
    await source.close();
    const token = registry.requestsOf('token')[0]!;
    assert.equal(new URL(token.path, 'http://x').searchParams.get('account'), 'maker');
    assert.equal(
      Buffer.from(token.headers.authorization!.slice(6), 'base64').toString(),
      `maker:${accounts.maker}`,
    );
    assert.ok(
      registry.requestsOf('manifest').every(({ headers }) => !headers.authorization?.startsWith('Basic')),
    );
  });

  it('are refused with wrong credentials, in one attempt', async () => {
    await start({ accounts });
    const source = openSource(`${registry.host}/a/b`, { credentials: { username: 'maker', password: 'x' } });
    await assert.rejects(source.resolve(hostPlatform()), {
      code: 'ERR_REGISTRY_UNAUTHORIZED',
      temporary: false,
      message: /the user maker/,
    });
    await source.close();
    assert.equal(registry.requestsOf('token').length, 1);
  });

  it('are renewed when they expire in the middle', async () => {
    await start();
    const source = openSource(`${registry.host}/a/b`);
    await source.resolve(hostPlatform());
    registry.tokens.clear();
    const bytes = await readAll(await source.openBlob(layer, 0));
    assert.ok(bytes.equals(image.blobs.get(layer.digest)!));
    await source.close();
    assert.equal(registry.requestsOf('token').length, 2);
  });

  it('are renewed once for several requests at the same time', async () => {
    await start();
    const source = openSource(`${registry.host}/a/b`);
    const blobs = await Promise.all([1, 2, 3, 4].map(async () => readAll(await source.openBlob(layer, 0))));
    assert.ok(blobs.every((bytes) => bytes.equals(image.blobs.get(layer.digest)!)));
    await source.close();
    assert.equal(registry.requestsOf('token').length, 1);
  });

  it('do not end in a loop when they never help', async () => {
    await start();
    registry.fault({ match: { kind: 'manifest' }, action: { type: 'unauthorized' }, times: Infinity });
    const source = openSource(`${registry.host}/a/b`);
    await assert.rejects(source.resolve(hostPlatform()), { code: 'ERR_REGISTRY_UNAUTHORIZED' });
    await source.close();
    assert.equal(registry.requestsOf('manifest').length, 2);
  });

  it('come from refresh tokens by POST', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'garua-docker-'));
    await start({ refreshToken: 'refresh me' });
    const path = join(folder, 'config.json');
    writeFileSync(path, JSON.stringify({ auths: { [registry.host]: { identitytoken: 'refresh me' } } }));
    const source = openSource(`${registry.host}/a/b`, { credentialPlaces: { dockerConfig: { path } } });
    await source.resolve(hostPlatform());
    await source.close();
    rmSync(folder, { recursive: true });
    const [request, ...more] = registry.requestsOf('token');
    assert.equal(more.length, 0);
    assert.equal(request!.method, 'POST');
    assert.equal(new URLSearchParams(request!.body).get('grant_type'), 'refresh_token');
    assert.ok(!request!.path.includes('refresh'));
  });

  it('are temporary to miss while the token service is down', async () => {
    await start();
    registry.fault({ match: { kind: 'token' }, action: { type: 'status', status: 503 } });
    const source = openSource(`${registry.host}/a/b`);
    await assert.rejects(source.resolve(hostPlatform()), {
      code: 'ERR_REGISTRY_UNAVAILABLE',
      temporary: true,
    });
    await source.resolve(hostPlatform());
    await source.close();
  });

  const nonsense: [name: string, body: string][] = [
    ['no JSON', '<html>'],
    ['null', 'null'],
    ['no token', '{"expires_in": 5}'],
    ['a token that would split the header', '{"token": "a\\r\\nx: y"}'],
  ];
  for (const [name, body] of nonsense) {
    it(`are refused when the service answers with ${name}`, async () => {
      await start();
      registry.fault({ match: { kind: 'token' }, action: { type: 'status', status: 200, body } });
      const source = openSource(`${registry.host}/a/b`);
      await assert.rejects(source.resolve(hostPlatform()), {
        code: 'ERR_REGISTRY_PROTOCOL',
        message: /gave no token/,
      });
      await source.close();
    });
  }

  it('and passwords are taken out of what a server says', async () => {
    await start({ accounts });
    const message = `no: ${credentials.password} ${btoa(`maker:${credentials.password}`)}`;
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message }] });
    registry.fault({ match: { kind: 'manifest' }, action: { type: 'status', status: 403, body }, skip: 1 });
    const source = openSource(`${registry.host}/a/b`, { credentials });
    await assert.rejects(source.resolve(hostPlatform()), (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_REGISTRY_UNAUTHORIZED');
      assert.match(error.message, /no: \[redacted\] \[redacted\]/);
      return true;
    });
    await source.close();
  });

  it('are not fetched over plain http from elsewhere with a password', async () => {
    await start();
    const headers = { 'www-authenticate': 'Bearer realm="http://198.51.100.7/token",service="x"' };
    const { Authorizer } = await import('../../../lib/image/registry/authorizer.js');
    const { Transport } = await import('../../../lib/image/registry/transport.js');
    const authorizer = new Authorizer({
      transport: new Transport(),
      registry: 'h.example',
      repository: 'a',
      insecure: false,
      findLogin: async () => ({ login: { kind: 'password', ...credentials } }),
    });
    await assert.rejects(authorizer.answer(headers['www-authenticate'], undefined), {
      code: 'ERR_REGISTRY_PROTOCOL',
      message: /without encryption/,
    });
  });
});
