/** Two Node-REDs at two sites in the words of their users: a container moves, an object and a message go across. */
import { deepEqual, equal } from 'node:assert/strict';
import { describeWithCriu } from '../container/move/support';
import { Editor } from '../support/editor';
import { busyboxLayer, makeImage, writeOciLayout } from '../support/images';
import type { FlowNode } from '../support/node-red';
import { deployFlow, type Place, startNodeRedFog, stopNodeRedFog } from '../support/node-red-fog';
import { temporaryFolder } from '../support/temporary';

const node = (id: string, type: string, x: number, y: number, rest: object): FlowNode => ({
  ...{ id, type, z: 'tab', x, y, name: '', host: 'host', wires: [] },
  ...rest,
});

const button = (id: string, y: number, payload: string, to: string) =>
  node(id, 'inject', 130, y, {
    name: id,
    props: [{ p: 'payload' }],
    ...{ payload, payloadType: 'str', once: false, repeat: '', wires: [[to]] },
  });

const shown = (id: string, y: number) =>
  node(id, 'debug', 550, y, { active: true, tosidebar: true, complete: 'payload', targetType: 'msg' });

const AT_QUAY: FlowNode[] = [
  button('leave', 100, '', 'move'),
  node('move', 'migrate', 330, 100, { mode: 'live', wires: [['moved']] }),
  shown('moved', 100),
  button('keep', 180, 'a picture', 'put'),
  node('put', 'fog-store-put', 330, 180, {
    name: 'to the store',
    ...{
      source: 'payload',
      property: 'payload',
      objectName: 'still',
      objectNameType: 'str',
      replicate: 'local',
    },
  }),
  button('say', 260, 'hello from the quay', 'out'),
  node('out', 'fog-out', 330, 260, {
    name: 'to others',
    topic: 'greetings',
    maximum: '100',
    policy: 'drop-oldest',
  }),
];

const AT_TOWER: FlowNode[] = [
  button('look', 180, '', 'get'),
  node('get', 'fog-store-get', 330, 180, {
    ...{
      name: 'from the store',
      object: 'fog:site-quay/still',
      objectType: 'str',
      output: 'text',
      limit: '64m',
    },
    wires: [['seen']],
  }),
  shown('seen', 180),
  node('in', 'fog-in', 330, 260, {
    name: 'from others',
    topic: 'greetings',
    retained: true,
    wires: [['heard']],
  }),
  shown('heard', 260),
];

describeWithCriu('faults: two Node-REDs at two sites', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  let places: Record<'quay' | 'tower', Place>;
  let quay: Editor;
  let tower: Editor;
  const problems: string[] = [];

  before(async () => {
    writeOciLayout(folder.join('stick'), [makeImage({ layers: [busyboxLayer()] })], ['latest']);
    places = await startNodeRedFog(['quay', 'tower']);
    await deployFlow(places.quay.nodeRed, 'quay', AT_QUAY);
    await deployFlow(places.tower.nodeRed, 'tower', AT_TOWER);
    quay = await Editor.open(places.quay.nodeRed.url);
    tower = await Editor.open(places.tower.nodeRed.url, quay.browser);
    for (const { page } of [quay, tower]) {
      page.on('pageerror', (error) => problems.push(error.message));
      await page.keyboard.press('Control+g');
      await page.keyboard.press('d');
    }
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    await quay?.picture('two-failure-quay');
    await tower?.picture('two-failure-tower');
  });

  after(async () => {
    await quay?.close();
    if (places) await stopNodeRedFog(Object.values(places));
  });

  /** A machine that has much to do moves no container in seconds. */
  const patience = { timeout: 120_000 };
  const press = (editor: Editor, name: string) =>
    editor.node(name).locator('.red-ui-flow-node-button-button').click();
  const status = (editor: Editor, label: string, fits: RegExp) =>
    editor.node(label).locator('.red-ui-flow-node-status-label', { hasText: fits }).waitFor(patience);
  const said = (editor: Editor, text: string) =>
    editor.page.locator('.red-ui-debug-msg', { hasText: text }).first().waitFor(patience);

  it('carry a message', async () => {
    await status(tower, 'from others', /^1 other site$/);
    await press(quay, 'say');
    await said(tower, 'hello from the quay');
    await status(quay, 'to others', /^sent$/);
  });

  it('find at one site what was put at the other', async () => {
    await press(quay, 'keep');
    await status(quay, 'to the store', /^nas$/);
    await press(tower, 'look');
    await said(tower, 'a picture');
    await status(tower, 'from the store', /site-quay$/);
    await press(tower, 'look');
    await status(tower, 'from the store', /^nas$/);
    await tower.picture('two-tower');
  });

  it('move a container from one to the other', async () => {
    await places.quay.host.deploy({
      image: `oci:${folder.join('stick')}:latest`,
      ...{ name: 'visitor', network: 'none', command: ['sh', '-c', 'while :; do sleep 0.1; done'] },
    });
    const dialog = await quay.openDialog('migrate');
    await dialog.locator('#node-input-when').selectOption('follow');
    deepEqual(
      await Promise.all(
        ['to', 'user', 'seconds'].map((id) => dialog.locator(`#node-input-${id}`).isVisible()),
      ),
      [false, true, true],
    );
    await quay.picture('migrate-follow', dialog);
    await dialog.locator('#node-input-when').selectOption('message');
    await dialog.locator('#node-input-container').fill('visitor');
    await dialog.locator('#node-input-to').fill('tower');
    await quay.closeDialog();
    deepEqual(await quay.invalidNodes(), []);
    await quay.deploy();
    const seen = await quay.watchStatus('move visitor');
    await press(quay, 'leave');
    await status(quay, 'move visitor', /^on tower$/);
    await quay.picture('two-quay');
    equal((await seen()).at(-1), 'on tower');
    equal((await places.tower.host.container('visitor')).state, 'running');
    deepEqual(await places.quay.host.containers(), []);
    await quay.importExample('Follow the visitor');
    deepEqual(await quay.invalidNodes(), []);
    deepEqual(problems, []);
  });
});
