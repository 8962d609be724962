import { deepEqual, equal } from 'node:assert/strict';
import { Editor } from '../../support/editor';
import { type NodeRedProcess, startNodeRed } from '../../support/node-red-process';

const EXAMPLE = 'Mediation between users';

describe('the place-operator node in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: Editor;

  before(async () => {
    nodeRed = await startNodeRed();
    editor = await Editor.open(nodeRed.url);
    await editor.importExample(EXAMPLE);
    await editor.showFlow(EXAMPLE);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor?.picture('place-operator-failure');
  });

  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });

  const operator = () => editor.page.locator('g.red-ui-flow-node-group', { hasText: /^board(at|placing|$)/ });
  const status = () => operator().locator('.red-ui-flow-node-status-label');
  const press = (name: string) => editor.node(name).locator('.red-ui-flow-node-button-button').click();
  const said = (text: string) => editor.page.locator('.red-ui-debug-msg', { hasText: text });

  it('runs its subflow on a single host, and keeps its state from message to message', async () => {
    deepEqual(await editor.invalidNodes(), []);
    await editor.deploy();
    await status().filter({ hasText: /^at ./ }).waitFor();
    await editor.page.keyboard.press('Control+g');
    await editor.page.keyboard.press('d');
    await press('Ada');
    await said('version: 1').waitFor();
    await press('Ben');
    await said('version: 2').waitFor();
    await editor.picture('place-operator');
  });

  it('has a dialog that knows the subflows, and asks for instances only where there is a key', async () => {
    await operator().dblclick();
    const dialog = editor.page.locator('.red-ui-tray').last();
    await dialog.locator('#node-dialog-ok').waitFor();
    await editor.settled();
    equal(await dialog.locator('#node-input-subflowId option:checked').textContent(), 'Board');
    equal(await dialog.locator('#node-input-preference').inputValue(), '0');
    equal(await dialog.locator('#node-input-least').isVisible(), false);
    await dialog.locator('#node-input-key').fill('payload.user');
    await dialog.locator('#node-input-least').waitFor();
    await editor.picture('place-operator-dialog', dialog);
    await dialog.locator('#node-input-runs').selectOption('container');
    await dialog.locator('#node-input-subflowId').waitFor({ state: 'hidden' });
    await dialog.locator('#node-input-image.input-error').waitFor();
    await dialog.locator('#node-input-image').fill('ghcr.io/team/count:2');
    await dialog.locator('#node-input-image').press('Tab');
    await dialog.locator('#node-input-image:not(.input-error)').waitFor();
    await dialog.locator('#node-input-environment').waitFor();
    await editor.picture('place-operator-dialog-container', dialog);
    await dialog.locator('#node-input-runs').selectOption('subflow');
    await dialog.locator('#node-input-image').waitFor({ state: 'hidden' });
    await editor.closeDialog();
  });

  it('has a tab of its own in the open editor, and goes on after a deploy that gives it a key', async () => {
    await editor.page
      .locator('#red-ui-workspace-tabs .red-ui-tab-label', { hasText: /^\s*board$/ })
      .waitFor();
    await editor.showFlow(EXAMPLE);
    await editor.deploy();
    await status().filter({ hasText: /^at ./ }).waitFor();
    await press('Cleo');
    await editor.page.locator('.red-ui-debug-msg').nth(2).waitFor();
    deepEqual(editor.problems, []);
  });
});
