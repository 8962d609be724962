import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { Editor } from '../../support/editor';
import { type NodeRedProcess, startNodeRed } from '../../support/node-red-process';

const EXAMPLES = [
  'Ten-minute mean per sensor',
  'Noise peaks per street',
  'Session of a visitor',
  'Anomaly alarm',
];

describe('the window node in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: Editor;

  before(async () => {
    nodeRed = await startNodeRed();
    editor = await Editor.open(nodeRed.url);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor?.picture('window-failure');
  });

  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });

  const picture = () => editor.page.locator('.garua-window .garua-picture svg');
  const isShown = (id: string) => editor.page.locator(`.garua-window #node-input-${id}`).isVisible();

  it('imports the examples as they are, and sends means per sensor', async () => {
    for (const name of EXAMPLES) await editor.importExample(name);
    deepEqual(await editor.invalidNodes(), []);
    await editor.showFlow(EXAMPLES[0]!);
    await editor.deploy();
    const status = editor.node('mean of ten minutes').locator('.red-ui-flow-node-status-label');
    await status.filter({ hasText: /^\d+ open/ }).waitFor();
    await editor.page.keyboard.press('Control+g');
    await editor.page.keyboard.press('d');
    const panes = editor.page.locator('.red-ui-debug-msg', { hasText: 'mean per sensor' });
    await panes.nth(4).waitFor();
    await editor.settled();
    await editor.picture('window-running');
  });

  it('shows fields and a picture that change with the type', async () => {
    const dialog = await editor.openDialog('mean of ten minutes');
    const fields: Record<string, string[]> = {
      tumbling: ['size', 'offset', 'earlyEvery', 'emptyWindows'],
      hopping: ['size', 'slide', 'offset', 'earlyEvery', 'emptyWindows'],
      sliding: ['size'],
      session: ['gap', 'earlyEvery'],
      count: ['count', 'step'],
    };
    const all = [...new Set(Object.values(fields).flat())];
    const pictures = new Set<string>();
    for (const [type, expected] of Object.entries(fields)) {
      await dialog.locator('#node-input-windowType').selectOption(type);
      if (type === 'hopping') {
        await dialog.locator('#node-input-slide').fill('4 min');
        await dialog.locator('#node-input-slide').blur();
      }
      const shown: string[] = [];
      for (const id of all) if (await isShown(id)) shown.push(id);
      deepEqual(shown.sort(), [...expected].sort(), type);
      pictures.add((await picture().innerHTML()) ?? '');
      notEqual(await picture().locator('rect').count(), 0);
      await editor.picture(`window-${type}`, dialog);
    }
    equal(pictures.size, 5);
    await dialog.locator('#node-input-time').selectOption('processing');
    equal(await isShown('outOfOrderness'), false);
    await dialog.locator('#node-input-time').selectOption('event');
    equal(await isShown('outOfOrderness'), true);
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.settled();
  });

  it('the picture follows the numbers', async () => {
    const dialog = await editor.openDialog('mean of ten minutes');
    await dialog.locator('#node-input-windowType').selectOption('hopping');
    await dialog.locator('#node-input-slide').fill('5 min');
    const half = await picture().locator('rect').count();
    await dialog.locator('#node-input-slide').fill('2.5 min');
    notEqual(await picture().locator('rect').count(), half);
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.settled();
  });

  it('marks wrong settings, and only those that matter', async () => {
    const dialog = await editor.openDialog('mean of ten minutes');
    const classOf = async (id: string) =>
      (await dialog.locator(`#node-input-${id}`).getAttribute('class')) ?? '';
    await dialog.locator('#node-input-windowType').selectOption('hopping');
    for (const [id, value] of [
      ['size', 'ten'],
      ['slide', '11 min'],
      ['idleTimeout', '5 weeks'],
    ] as const) {
      if (id === 'slide') await dialog.locator('#node-input-size').fill('10 min');
      await dialog.locator(`#node-input-${id}`).fill(value);
      await dialog.locator(`#node-input-${id}`).blur();
      match(await classOf(id), /input-error/, id);
    }
    const said = await dialog.locator('.garua-problem').allInnerTexts();
    deepEqual(said, ['a duration of at most the size is needed', 'a number and a unit: ms, s, min, h or d']);
    await dialog.getByText('add answer').click();
    await dialog.locator('.garua-row').last().locator('select').selectOption('quantile');
    await dialog.locator('.garua-row').last().getByPlaceholder('0.5').fill('7');
    await dialog.locator('.garua-problem', { hasText: 'a quantile is a number from 0 to 1' }).waitFor();
    await editor.picture('window-wrong', dialog);
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.settled();
  });

  it('keeps what is entered', async () => {
    let dialog = await editor.openDialog('mean of ten minutes');
    await dialog.getByText('add answer').click();
    const row = dialog.locator('.garua-row').last();
    await row.locator('select').selectOption('quantile');
    await row.getByPlaceholder('0.5').fill('0.9');
    await row.getByPlaceholder('name: quantile').fill('p90');
    await dialog.getByText('add answer').click();
    const alarm = dialog.locator('.garua-row').last();
    await alarm.locator('select').selectOption('anomaly');
    await alarm.locator('[data-property=history]').fill('20');
    await alarm.locator('[data-property=above]').fill('40');
    await dialog.locator('#node-input-offset').fill('30 s');
    await editor.picture('window-filled', dialog);
    await editor.closeDialog();
    await editor.deploy();
    dialog = await editor.openDialog('mean of ten minutes');
    equal(await dialog.locator('.garua-row').count(), 5);
    equal(await dialog.locator('.garua-row').nth(3).getByPlaceholder('0.5').inputValue(), '0.9');
    equal(await dialog.locator('#node-input-offset').inputValue(), '30 s');
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.settled();
    const flows = (await (await fetch(`${nodeRed.url}flows`)).json()) as {
      type: string;
      name: string;
      aggregates: unknown[];
    }[];
    deepEqual(
      flows
        .find(({ type, name }) => type === 'window' && name === 'mean of ten minutes')!
        .aggregates.slice(-2),
      [
        { op: 'quantile', as: 'p90', parameter: '0.9' },
        { op: 'anomaly', history: '20', above: '40' },
      ],
    );
  });

  it('shows its help', async () => {
    await editor.showFlow(EXAMPLES[0]!);
    await editor.node('mean of ten minutes').click();
    await editor.page.keyboard.press('Control+g');
    await editor.page.keyboard.press('h');
    await editor.page.locator('.red-ui-help').getByText('an hour, messages out of order').first().waitFor();
    await editor.settled();
    await editor.picture('window-help', editor.page.locator('#red-ui-sidebar'));
  });

  it('raises no error in the browser', () => {
    deepEqual(editor.problems, []);
  });
});
