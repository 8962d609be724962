import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpointsOf, loadRegistryConfiguration } from '../../../lib/image/registry';

describe('registry endpoints', () => {
  const urls = (...parameters: Parameters<typeof endpointsOf>) =>
    endpointsOf(...parameters).map(({ url, insecure }) => `${url.href}${insecure ? ' insecure' : ''}`);

  it('are https only, unless something allows less', () => {
    assert.deepEqual(urls('host.example:5000'), ['https://host.example:5000/']);
    assert.deepEqual(urls('10.0.0.1:5000'), ['https://10.0.0.1:5000/']);
    assert.deepEqual(urls('127.0.0.1.example'), ['https://127.0.0.1.example/']);
    const both = ['https://host.example:5000/ insecure', 'http://host.example:5000/ insecure'];
    assert.deepEqual(urls('host.example:5000', {}, true), both);
    assert.deepEqual(urls('host.example:5000', { insecure: ['Host.example:5000'] }), both);
    assert.deepEqual(urls('host.example:5001', { insecure: ['host.example:5000'] }), [
      'https://host.example:5001/',
    ]);
  });

  it('may be plain http on this machine', () => {
    for (const host of ['127.0.0.1:5000', 'localhost:5000', '127.3.2.1:5000', '[::1]:5000']) {
      assert.equal(urls(host)[0], `http://${host}/ insecure`);
    }
  });

  it('begin with the mirrors, each with its own rules', () => {
    const mirrors = { 'docker.io': ['http://pi.local:5000', 'https://cache.example/hub'] };
    assert.deepEqual(urls('docker.io', { mirrors }), [
      'http://pi.local:5000/ insecure',
      'https://cache.example/hub/',
      'https://registry-1.docker.io/',
    ]);
    assert.deepEqual(urls('host.example', { mirrors }), ['https://host.example/']);
    assert.throws(() => urls('docker.io', { mirrors: { 'docker.io': ['pi.local:5000'] } }), {
      code: 'ERR_REGISTRY_CONFIGURATION',
    });
  });
});

describe('registries.json', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'garua-configuration-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const load = (text: string) => {
    writeFileSync(join(folder, 'registries.json'), text);
    return loadRegistryConfiguration(join(folder, 'registries.json'));
  };

  it('is read, and may be missing', async () => {
    assert.deepEqual(await loadRegistryConfiguration(join(folder, 'none.json')), {});
    assert.deepEqual(await load('{"mirrors": {"docker.io": ["http://m:1"]}, "insecure": ["h:2"]}'), {
      mirrors: { 'docker.io': ['http://m:1'] },
      insecure: ['h:2'],
    });
    assert.deepEqual(await load('{}'), { mirrors: {}, insecure: [] });
  });

  it('is refused, with its name, when it is not valid', async () => {
    for (const text of [
      '',
      '{',
      '{"insecure": "h:2"}',
      '{"insecure": [1]}',
      '{"mirrors": {"a": "b"}}',
      '{"mirrors": 1}',
    ]) {
      await assert.rejects(load(text), { code: 'ERR_REGISTRY_CONFIGURATION', message: /registries\.json/ });
    }
  });
});
