import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openDatabase } from '../../../lib/base';
import { LocalHost } from '../../../lib/host';
import { settingsOf } from '../../../lib/host/settings';
import { temporaryFolder } from '../../support/temporary';

describe('the settings of a host', () => {
  const folder = temporaryFolder();
  let database: ReturnType<typeof openDatabase>;
  let copy: string;
  const unset = { nodeRed: undefined, nodeRedTokenFile: undefined };
  before(() => {
    database = openDatabase(folder.join('garua.db'));
    copy = folder.join('settings.json');
  });
  after(() => database.close());

  it('stay as they were given last', () => {
    assert.deepEqual(settingsOf(database, {}, copy), {
      name: undefined,
      site: undefined,
      nas: undefined,
      quota: undefined,
      ...unset,
    });
    settingsOf(database, { name: 'quay-1', site: 'quay', nas: 'shared', quota: 1 << 30 }, copy);
    const known = { name: 'quay-1', site: 'quay', nas: resolve('shared'), quota: 1 << 30, ...unset };
    assert.deepEqual(settingsOf(database, {}, copy), known);
    assert.deepEqual(settingsOf(database, { site: 'pier' }, copy), { ...known, site: 'pier' });
  });

  it('can be taken back, and must make sense', () => {
    const { nas, quota } = settingsOf(database, { nas: '', quota: 0 }, copy);
    assert.deepEqual([nas, quota], [undefined, undefined]);
    for (const wrong of [{ quota: -1 }, { site: 'two words' }, { site: '' }, { nodeRed: 'file:///x' }]) {
      assert.throws(() => settingsOf(database, wrong, copy), { code: 'ERR_INVALID_ARGUMENT' });
    }
    assert.equal(settingsOf(database, {}, copy).site, 'pier');
    assert.equal(settingsOf(database, { name: 'Our host' }, copy).name, 'Our host');
    assert.equal(settingsOf(database, {}, copy).name, 'quay-1');
  });

  it('know the Node-RED of the machine, and a file with its token', () => {
    const nodeRed = 'http://127.0.0.1:1880/';
    settingsOf(database, { nodeRed, nodeRedTokenFile: 'token' }, copy);
    const { nodeRedTokenFile, ...known } = settingsOf(database, {}, copy);
    assert.deepEqual([known.nodeRed, nodeRedTokenFile], [nodeRed, resolve('token')]);
    settingsOf(database, { nodeRed: '', nodeRedTokenFile: '' }, copy);
    assert.equal(settingsOf(database, {}, copy).nodeRed, undefined);
  });

  it('are there again when the database is lost', () => {
    const lost = openDatabase(folder.join('new.db'));
    assert.deepEqual(settingsOf(lost, { site: 'hill' }, copy), {
      ...{ name: 'quay-1', site: 'hill', nas: undefined, quota: undefined, ...unset },
    });
    writeFileSync(copy, 'damaged too');
    assert.equal(settingsOf(lost, {}, copy).site, 'hill');
    lost.close();
  });

  it('let a fog-host have any label, also in a fog', async () => {
    const mesh = { listen: ['/ip4/127.0.0.1/tcp/0'] };
    const host = await LocalHost.open({ dataDirectory: folder.join('label'), name: 'Kitchen Pi', mesh });
    try {
      assert.equal((await host.info()).name, 'Kitchen Pi');
      assert.equal((await host.fogCreate()).hosts, 1);
    } finally {
      await host.close();
    }
  });
});
