import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  AdminApi,
  describeTab,
  markOf,
  type OperatorTab,
} from '../../../../lib/placement/operators/node-red';
import { type NodeRedProcess, startNodeRed } from '../../../support/node-red-process';
import { freePort } from '../../../support/registry';

const MARK = { owner: 'peer', operator: 'window --> "1"', instance: '3' };

function tab(properties: Partial<OperatorTab> = {}): OperatorTab {
  const nodes = [{ id: 'admin-1', type: 'debug', x: 10, y: 10, wires: [] }];
  return { label: 'operator', mark: MARK, nodes, configs: [], ...properties };
}

describe('placement, the Admin API of Node-RED', function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  let api: AdminApi;
  before(async () => {
    // Whoever does not log in may only read. The password is "secret".
    const password = '$2b$04$rz2gBEA5peDuAhhU3ZbbuOsxc7m1S6SCEaMqJ.WVwByx2OxFsGfm.';
    const users = [{ username: 'admin', password, permissions: '*' }];
    nodeRed = await startNodeRed({
      adminAuth: { type: 'credentials', users, default: { permissions: 'read' } },
    });
    api = new AdminApi({ url: nodeRed.url, token: await logIn(nodeRed.url) });
  });
  after(() => nodeRed?.stop());

  it('adds a tab, finds it by its mark, replaces and removes it', async () => {
    const before = await api.flows();
    const id = await api.addTab(tab());
    assert.deepEqual(await api.operatorTabs(), [{ id, label: 'operator', mark: MARK }]);
    const added = await api.flows();
    assert.notEqual(added.rev, before.rev);
    assert.equal(added.flows.find((node) => node.id === 'admin-1')?.z, id);
    await api.replaceTab(id, tab({ label: 'other', mark: { ...MARK, instance: '4' }, nodes: [] }));
    assert.deepEqual(await api.operatorTabs(), [{ id, label: 'other', mark: { ...MARK, instance: '4' } }]);
    await api.removeTab(id);
    await api.removeTab(id);
    assert.deepEqual(await api.operatorTabs(), []);
    assert.deepEqual((await api.flows()).flows, before.flows);
  });

  it('sends nothing when a node type is missing', async () => {
    const types = await api.types();
    assert.ok(types.has('function') && types.has('junction') && types.has('window'));
    const nodes = ['debug', 'no-such', 'another'].map((type) => ({ id: `m-${type}`, type, x: 1, y: 1 }));
    const { rev } = await api.flows();
    await assert.rejects(api.addTab(tab({ nodes })), {
      code: 'ERR_NODE_RED_TYPES_MISSING',
      types: ['another', 'no-such'],
    });
    assert.equal((await api.flows()).rev, rev);
  });

  it('says what Node-RED refuses', async () => {
    const id = await api.addTab(tab());
    await assert.rejects(api.addTab(tab()), { code: 'ERR_NODE_RED_REFUSED', message: /duplicate id/ });
    await api.removeTab(id);
    await assert.rejects(api.replaceTab('none', tab()), { code: 'ERR_NODE_RED_REFUSED', message: /404/ });
  });

  it('says when it needs a token, or another one', async () => {
    for (const token of [undefined, 'wrong']) {
      const stranger = new AdminApi({ url: nodeRed.url, token });
      await assert.rejects(stranger.addTab(tab()), { code: 'ERR_NODE_RED_UNAUTHORIZED' });
    }
    assert.deepEqual(await api.operatorTabs(), []);
  });

  it('says when nobody answers, too late, or something else answers', async () => {
    const gone = new AdminApi({ url: `http://127.0.0.1:${await freePort()}/` });
    await assert.rejects(gone.flows(), {
      code: 'ERR_NODE_RED_UNREACHABLE',
      message: /ECONNREFUSED/,
      temporary: true,
    });
    await withServer(
      (_request, response) => response.end('<html>'),
      async (url) => {
        await assert.rejects(new AdminApi({ url }).flows(), { code: 'ERR_NODE_RED_UNREACHABLE' });
      },
    );
    await withServer(
      () => {},
      async (url) => {
        await assert.rejects(new AdminApi({ url, timeoutMs: 50 }).flows(), { code: 'ERR_NODE_RED_TIMEOUT' });
        const signal = AbortSignal.timeout(50);
        await assert.rejects(new AdminApi({ url }).flows({ signal }), { code: 'ERR_ABORTED' });
      },
    );
    assert.throws(() => new AdminApi({ url: 'localhost:1880' }), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('keeps its token from other servers', async () => {
    let isSeen = false;
    await withServer(
      (_request, response) => {
        isSeen = true;
        response.end('[]');
      },
      (other) =>
        withServer(
          (_request, response) => response.writeHead(302, { location: other }).end(),
          async (url) => {
            await assert.rejects(new AdminApi({ url, token: 't' }).flows(), {
              code: 'ERR_NODE_RED_UNREACHABLE',
            });
          },
        ),
    );
    assert.ok(!isSeen);
  });

  it('takes only what it wrote for a mark', () => {
    assert.deepEqual(markOf(describeTab(MARK)), MARK);
    for (const info of [undefined, '', 'text', '<!-- garua-operator {} -->', '<!-- garua-operator {x} -->']) {
      assert.equal(markOf(info), undefined);
    }
  });
});

async function logIn(url: string): Promise<string> {
  const body = new URLSearchParams({
    client_id: 'node-red-admin',
    grant_type: 'password',
    scope: '*',
    username: 'admin',
    password: 'secret',
  });
  const answer = await fetch(`${url}auth/token`, { method: 'POST', body });
  assert.ok(answer.ok, await answer.clone().text());
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function withServer(listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
