import { deepEqual, equal, match } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { FogHost, met } from '../../host/objects/support';
import { patternBytes } from '../../store/support/bytes';
import { type FlowNode, TestNodeRed } from '../../support/node-red';
import { SilentHost } from '../../support/silent-host';
import { temporaryFolder } from '../../support/temporary';

describe('fog-store-put and fog-store-get', () => {
  const folder = temporaryFolder();
  const nodeRed = new TestNodeRed();
  const hosts: FogHost[] = [];

  before(async () => {
    const here = await FogHost.open(folder.path, 'here', 'quay');
    const there = await FogHost.open(folder.path, 'there', 'hill');
    hosts.push(here, there);
    await here.host.fogCreate();
    await there.join(here);
    await met(hosts);
  });
  after(async () => {
    for (const { host } of hosts) await host.close();
  });

  const fogHost = (name: string): FlowNode => ({
    id: `host-${name}`,
    type: 'fog-host',
    dataDirectory: folder.join(name),
  });

  /** A put at one site and a get at the other, which is not wired to it. */
  function flow(put: object = {}, get: object = {}): FlowNode[] {
    const property = { filename: 'filename', filenameType: 'msg' };
    return [
      { id: 'tab', type: 'tab' },
      fogHost('here'),
      fogHost('there'),
      {
        id: 'put',
        z: 'tab',
        type: 'fog-store-put',
        host: 'host-here',
        ...property,
        wires: [['kept']],
        ...put,
      },
      { id: 'kept', z: 'tab', type: 'helper' },
      {
        ...{ id: 'get', z: 'tab', type: 'fog-store-get', host: 'host-there', ...property },
        ...{ object: 'payload', objectType: 'msg', wires: [['got']], ...get },
      },
      { id: 'got', z: 'tab', type: 'helper' },
      { id: 'errors', z: 'tab', type: 'catch', scope: ['put', 'get'], wires: [['failed']] },
      { id: 'failed', z: 'tab', type: 'helper' },
    ];
  }

  const failure = async (from = 0) => {
    const { error } = await nodeRed.message('failed', () => true, from);
    return error as { message: string; cause: { code: string } };
  };

  it('take bytes to the other site by their CID', async () => {
    await nodeRed.load(flow());
    await nodeRed.status('put', /^green dot ready$/);
    const bytes = patternBytes(600_000, 1);
    nodeRed.send('put', { payload: bytes, topic: 'kept as it is' });
    const kept = await nodeRed.message('kept');
    const { cid, size, seconds } = kept.payload as { cid: string; size: number; seconds: number };
    deepEqual([size, seconds > 0, kept.topic], [bytes.length, true, 'kept as it is']);
    await nodeRed.status('put', /^green dot nas$/);
    nodeRed.send('get', kept);
    const got = await nodeRed.message('got');
    deepEqual(Buffer.compare(got.payload as Buffer, bytes), 0);
    equal((got.object as { source: string }).source, 'site:quay');
    await nodeRed.status('get', /^green dot site:quay$/);
    nodeRed.send('get', { payload: cid });
    const again = await nodeRed.message('got', () => true, 1);
    deepEqual(
      [(again.object as { source: string }).source, (again.object as { networkCalls: number }).networkCalls],
      ['nas', 0],
    );
    await nodeRed.status('get', /^green dot nas$/);
  });

  it('know objects by the names that the flow gives them', async () => {
    const named = { objectName: 'hour', objectNameType: 'msg', replicate: 'all', pin: true };
    await nodeRed.load(flow(named, { object: 'fog:quay/sensors/14', objectType: 'str', output: 'json' }));
    nodeRed.send('put', { payload: { noise: [61, 58] }, hour: 'sensors/14' });
    const { payload } = await nodeRed.message('kept');
    const { name, replicas } = payload as { name: string; replicas: string[] };
    deepEqual([name, replicas], ['fog:quay/sensors/14', ['hill']]);
    await nodeRed.status('put', /^green dot nas \+1$/);
    nodeRed.send('get');
    deepEqual((await nodeRed.message('got')).payload, { noise: [61, 58] });
    nodeRed.send('put', { payload: 'no JSON', hour: 'sensors/14', replicate: 'local' });
    await nodeRed.message('kept', () => true, 1);
    nodeRed.send('get');
    match((await failure()).message, /is no JSON/);
  });

  it('put files and get files', async () => {
    const bytes = patternBytes(3_000_000, 2);
    const [source, target] = [folder.join('still.jpg'), folder.join('copy.jpg')];
    writeFileSync(source, bytes);
    await nodeRed.load(flow({ source: 'file' }, { output: 'file' }));
    nodeRed.send('put', { filename: source });
    const kept = await nodeRed.message('kept');
    nodeRed.send('get', { ...kept, filename: target });
    const { payload } = await nodeRed.message('got');
    deepEqual(Buffer.compare(readFileSync(target), bytes), 0);
    const { size, filename } = payload as { size: number; filename: string };
    deepEqual([size, filename], [bytes.length, target]);
    nodeRed.send('put', { filename: folder.join('none.jpg') });
    match((await failure()).message, /none\.jpg/);
    nodeRed.send('put', {});
    equal((await failure(1)).cause.code, 'ERR_INVALID_ARGUMENT');
  });

  it('hold no more messages than they may for a host that hangs', async () => {
    const socket = folder.join('silent.sock');
    const silent = await SilentHost.listen(socket);
    const nodes = flow().filter(({ id }) => id !== 'host-here');
    await nodeRed.load([...nodes, { id: 'host-here', type: 'fog-host', socket }]);
    for (let n = 0; n <= 1_000; n += 1) nodeRed.send('put', { payload: 'x' });
    equal((await failure()).cause.code, 'ERR_BACKLOG_FULL');
    await nodeRed.status('put', /^red ring too many messages$/);
    silent.close();
  });

  it('say what is wrong, and go on', async () => {
    await nodeRed.load(flow({}, { limit: '100k', output: 'text' }));
    nodeRed.send('put', { payload: undefined });
    match((await failure()).message, /nothing to put/);
    nodeRed.send('put', { payload: patternBytes(200_000, 3) });
    nodeRed.send('get', await nodeRed.message('kept'));
    equal((await failure(1)).cause.code, 'ERR_STORE_OBJECT_OVER_LIMIT');
    await nodeRed.status('get', /^red ring too large$/);
    nodeRed.send('get', { payload: 'fog:hill/none' });
    equal((await failure(2)).cause.code, 'ERR_STORE_NAME_NOT_FOUND');
    await nodeRed.status('get', /^red ring no such name$/);
    nodeRed.send('put', { payload: 'small' });
    nodeRed.send('get', await nodeRed.message('kept', () => true, 1));
    equal((await nodeRed.message('got')).payload, 'small');
  });

  it('say that there is no fog to copy to, and refuse settings that mean nothing', async () => {
    const alone = await FogHost.open(folder.path, 'alone', 'alone');
    try {
      const nodes = flow({ host: 'host-alone', replicate: 'all' }, { output: 'picture' });
      await nodeRed.load([fogHost('alone'), ...nodes]);
      await nodeRed.status('put', /^yellow ring no fog$/);
      await nodeRed.status('get', /^red ring error$/);
      nodeRed.send('put', { payload: 'here all the same' });
      await nodeRed.status('put', /^green dot nas$/);
    } finally {
      await alone.host.close();
    }
  });
});
