import { deepEqual, equal, match } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { openHost } from '../../lib/control';
import { Editor } from '../support/editor';
import { FaultyRegistry } from '../support/faulty-registry';
import { busyboxLayer, fileLayer, makeImage } from '../support/images';
import { type NodeRedProcess, startNodeRed } from '../support/node-red-process';
import { freePort } from '../support/registry';

const EXAMPLE = 'Deploy from a registry';
/** About three seconds for the image, so that its pull is seen. */
const BYTES_PER_SECOND = 10e6;

describe('the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: Editor;
  let registry: FaultyRegistry;

  before(async () => {
    registry = await FaultyRegistry.start();
    const layers = [busyboxLayer(), fileLayer({ ballast: randomBytes(30e6) })];
    registry.add(makeImage({ layers, config: { Cmd: ['sleep', '1000'] } }), 'web', '1');
    const action = { type: 'slow', bytesPerSecond: BYTES_PER_SECOND } as const;
    registry.fault({ match: { kind: 'blob' }, action, times: Number.POSITIVE_INFINITY });
    nodeRed = await startNodeRed();
    editor = await Editor.open(nodeRed.url);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor?.picture('failure');
  });

  after(async () => {
    await editor?.close();
    await removeContainers();
    await nodeRed?.stop();
    await registry?.stop();
  });

  async function removeContainers(): Promise<void> {
    if (!nodeRed) return;
    const host = await openHost({ dataDirectory: nodeRed.dataDirectory });
    for (const { name } of await host.containers()) await host.remove(name, { force: true, graceMs: 0 });
    await host.close();
  }

  it('offers the node in the palette', async () => {
    const node = editor.page.locator('.red-ui-palette-node[data-palette-type="deploy-container"]');
    match((await node.textContent()) ?? '', /deploy\s+container/);
    await editor.page.locator('#red-ui-palette-search input').fill('container');
    await node.scrollIntoViewIfNeeded();
    await editor.settled();
    await editor.picture('palette', editor.page.locator('.red-ui-palette-category', { has: node }));
    await editor.page.locator('#red-ui-palette-search input').fill('');
  });

  it('imports an example, deploys it, and shows it pull and run', async () => {
    await editor.importExample(EXAMPLE);
    await editor.showFlow(EXAMPLE);
    const dialog = await editor.openDialog('hello-fog');
    await dialog
      .locator('.red-ui-typedInput-container input[type="text"]')
      .first()
      .fill(`${registry.host}/web:1`);
    const port = await freePort();
    const command = dialog.locator('#node-input-command');
    await command.fill((await command.inputValue()).replace('8080', String(port)));
    await editor.picture('deploy-container', dialog);
    await editor.closeDialog();
    const seen = await editor.watchStatus('hello-fog');
    await editor.deploy();
    await editor.page.locator('.red-ui-flow-node-status-label', { hasText: /^pulling \d+%$/ }).waitFor();
    await editor.page.waitForTimeout(1000);
    await editor.picture('pulling');
    await editor.page.locator('.red-ui-flow-node-status-label', { hasText: /^running$/ }).waitFor();
    const words = (await seen()).map((text) => text.replace(/ .*/, ''));
    const order = words.filter((word, index) => word !== words[index - 1]);
    match(order.join(' '), /pulling .*running$/);
    const page = await fetch(`http://127.0.0.1:${port}/`);
    equal((await page.text()).trim(), 'Hello from the fog');
    await editor.settled();
    await editor.picture('running');
  });

  it('opens the dialogs of both nodes, and keeps what is entered', async () => {
    const { page } = editor;
    let dialog = await editor.openDialog('hello-fog');
    await dialog.getByText('add variable').click();
    await dialog.getByPlaceholder('NAME', { exact: true }).fill('COLOUR');
    await dialog.getByPlaceholder('value', { exact: true }).fill('blue');
    await dialog.locator('#garua-section-devices > summary').click();
    await dialog.getByText('add mount').click();
    await dialog.getByPlaceholder('/path/on/host').fill('/tmp');
    await dialog.getByPlaceholder('/in/container').fill('/data');
    await dialog.locator('#node-input-btn-host-add, #node-input-lookup-host').first().click();
    await page.locator('#node-config-input-name').waitFor();
    await editor.settled();
    const config = page.locator('.red-ui-tray').last();
    await config.locator('#node-config-input-name').fill('kitchen');
    await config.getByText('add registry').click();
    await config.getByPlaceholder('registry.example.com:5000').fill('registry.example.com');
    await config.getByPlaceholder('user', { exact: true }).fill('maker');
    await config.locator('.garua-registry input[type="password"]').fill('secret');
    await config.locator('#node-config-garua-status', { hasText: 'deploy to use it' }).waitFor();
    await editor.picture('fog-host', config);
    await page.locator('#node-config-dialog-ok').click();
    await page.locator('#node-config-dialog-ok').waitFor({ state: 'detached' });
    await editor.settled();
    await editor.closeDialog();
    await editor.deploy();

    dialog = await editor.openDialog('hello-fog');
    equal(await dialog.getByPlaceholder('NAME', { exact: true }).inputValue(), 'COLOUR');
    equal(await dialog.getByPlaceholder('/in/container').inputValue(), '/data');
    await dialog.locator('#node-input-btn-host-edit, #node-input-lookup-host').first().click();
    await page.locator('#node-config-garua-status', { hasText: 'runs inside this Node-RED' }).waitFor();
    const again = page.locator('.red-ui-tray').last();
    equal(await again.getByPlaceholder('user', { exact: true }).inputValue(), 'maker');
    equal(await again.locator('.garua-registry input[type="password"]').inputValue(), '__PWRD__');
    await editor.settled();
    await editor.picture('fog-host-deployed', again);
    await page.locator('#node-config-dialog-cancel').click();
    await editor.settled();
    await page.locator('#node-dialog-cancel').click();
    await editor.settled();
  });

  it('shows the help of the node', async () => {
    const { page } = editor;
    await editor.node('hello-fog').click();
    await page.keyboard.press('Control+g');
    await page.keyboard.press('h');
    const help = page.locator('.red-ui-help');
    await help.getByText('State changes').first().waitFor();
    await editor.settled();
    await editor.picture('help', page.locator('#red-ui-sidebar'));
  });

  it('takes the other examples as they are', async () => {
    for (const name of ['Deploy from an OCI folder with no network', 'React to a container that dies']) {
      await editor.importExample(name);
    }
    deepEqual(await editor.invalidNodes(), []);
    await editor.showFlow('React to a container that dies');
    await editor.settled();
    await editor.picture('container-that-dies');
  });

  it('had no error on the page', () => deepEqual(editor.problems, []));
});
