import { deepEqual, equal, match } from 'node:assert/strict';
import { Editor } from '../../support/editor';
import { type NodeRedProcess, startNodeRed } from '../../support/node-red-process';

const STILL = "Camera still to the site's store";
const ARCHIVE = 'City sensors archive by hour';

describe('the nodes of the store in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: Editor;

  before(async () => {
    nodeRed = await startNodeRed();
    editor = await Editor.open(nodeRed.url);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor?.picture('fog-store-failure');
  });

  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });

  const button = (label: string) => editor.node(label).locator('.red-ui-flow-node-button-button');
  const said = (text: string | RegExp) => editor.page.locator('.red-ui-debug-msg', { hasText: text });

  it('take a picture to the store and get it by its link', async () => {
    await editor.importExample(STILL);
    await editor.importExample(ARCHIVE);
    deepEqual(await editor.invalidNodes(), []);
    await editor.showFlow(STILL);
    await editor.deploy();
    await editor.page.keyboard.press('Control+g');
    await editor.page.keyboard.press('d');
    await button('take a picture').click();
    await said('<svg').first().waitFor();
    await editor
      .node('picture by its link')
      .locator('.red-ui-flow-node-status-label', { hasText: /^nas$/ })
      .waitFor();
    await editor.settled();
    await editor.picture('fog-store-still');
  });

  it('archive an hour and read it', async () => {
    await editor.showFlow(ARCHIVE);
    const status = editor.node('hour to the store').locator('.red-ui-flow-node-status-label');
    await status.filter({ hasText: /^no fog$/ }).waitFor();
    await button('archive now').click();
    await status.filter({ hasText: /^nas$/ }).waitFor();
    await button('read this hour').click();
    await said('harbour').first().waitFor();
  });

  it('have a dialog for what is put', async () => {
    const dialog = await editor.openDialog('hour to the store');
    const isShown = (id: string) => dialog.locator(`#${id}`).isVisible();
    equal(await dialog.locator('#garua-nearest').inputValue(), '1');
    await dialog.locator('#node-input-source').selectOption('file');
    deepEqual(
      [await isShown('garua-nearest'), await dialog.getByText('Property').isVisible()],
      [true, false],
    );
    await editor.picture('fog-store-put', dialog);
    await dialog.locator('#garua-nearest').fill('0');
    match((await dialog.locator('#garua-nearest').getAttribute('class')) ?? '', /input-error/);
    await dialog.locator('#garua-replication').selectOption('all');
    equal(await isShown('garua-nearest'), false);
    await editor.closeDialog();
    const kept = await editor.page.evaluate(() => {
      const { RED } = globalThis as unknown as { RED: { nodes: { filterNodes(filter: object): object[] } } };
      return RED.nodes
        .filterNodes({ type: 'fog-store-put' })
        .map((node) => (node as { replicate: string }).replicate);
    });
    deepEqual(kept.sort(), ['all', 'local']);
  });

  it('have a dialog for what is got', async () => {
    await editor.showFlow(STILL);
    const dialog = await editor.openDialog('picture by its link');
    await dialog.locator('#node-input-limit').fill('much');
    await dialog.locator('#node-input-limit').blur();
    match((await dialog.locator('#node-input-limit').getAttribute('class')) ?? '', /input-error/);
    await dialog.locator('#node-input-output').selectOption('file');
    equal(await dialog.locator('#node-input-limit').isVisible(), false);
    await editor.picture('fog-store-get', dialog);
    await editor.closeDialog();
    deepEqual(await editor.invalidNodes(), []);
    deepEqual(editor.problems, []);
  });
});
