import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Locator } from 'playwright-core';
import { Editor } from '../../support/editor';
import { type NodeRedProcess, startNodeRed } from '../../support/node-red-process';

/** A Node-RED with one fog-host, and its editor. */
interface Place {
  nodeRed: NodeRedProcess;
  editor: Editor;
}

describe('the fog in the fog-host dialog', function () {
  this.timeout(180_000);
  const running: NodeRedProcess[] = [];
  const places: Place[] = [];

  async function open(nodeRed: NodeRedProcess, name: string, site: string): Promise<Place> {
    const { dataDirectory } = nodeRed;
    const flows = [
      { id: 'tab', type: 'tab', label: 'flow' },
      { id: 'host', type: 'fog-host', name, site, dataDirectory },
    ];
    const headers = { 'content-type': 'application/json' };
    const posted = await fetch(`${nodeRed.url}flows`, {
      method: 'POST',
      headers,
      body: JSON.stringify(flows),
    });
    equal(posted.status, 204);
    const editor = await Editor.open(nodeRed.url, places[0]?.editor.browser);
    const place = { nodeRed, editor };
    places.push(place);
    return place;
  }

  async function openDialog({ page }: Editor, id = 'host'): Promise<Locator> {
    await page.evaluate((host) => {
      const { RED } = globalThis as unknown as { RED: { editor: { editConfig(...words: string[]): void } } };
      RED.editor.editConfig('', 'fog-host', host);
    }, id);
    const dialog = page.locator('.red-ui-tray').last();
    await dialog.locator('#node-config-dialog-ok').waitFor();
    return dialog;
  }

  async function closeDialog({ page }: Editor, button: 'ok' | 'cancel'): Promise<void> {
    await page.locator(`#node-config-dialog-${button}`).click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  }

  const part = (dialog: Locator, name: string) => dialog.locator(`#node-config-garua-fog-${name}`);

  /** Waits until the table says so, a line for each host. */
  const rows = (dialog: Locator, fits: RegExp) =>
    part(dialog, 'table').locator('tbody tr').filter({ hasText: fits }).waitFor();

  let first: Place;
  let second: Place;

  before(async () => {
    running.push(...(await Promise.all([startNodeRed(), startNodeRed()])));
    first = await open(running[0]!, 'kitchen', 'north');
    second = await open(running[1]!, 'cellar', 'south');
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const [index, { editor }] of places.entries()) await editor.picture(`fog-failure-${index + 1}`);
  });

  after(async () => {
    await first?.editor.close();
    for (const nodeRed of running) await nodeRed.stop();
  });

  it('makes a fog, invites, and lets another Node-RED join', async () => {
    const here = await openDialog(first.editor);
    await part(here, 'headline').filter({ hasText: 'belongs to no fog' }).waitFor();
    await part(here, 'choose-create').click();
    await part(here, 'name').fill('harbour');
    await first.editor.settled();
    await first.editor.picture('fog-create', here);
    await part(here, 'name').press('Enter');
    await rows(here, /^northkitchen.*up.*here/);
    match((await part(here, 'headline').textContent())!, /harbour.*kitchen.*north/);

    await part(here, 'uses').fill('2');
    await part(here, 'ask').click();
    await part(here, 'invite').waitFor();
    const invite = await part(here, 'line').inputValue();
    match(invite, /^garua-invite-1-\S+$/);
    match((await part(here, 'once').textContent())!, /shown only now.* 2 hosts/);
    await first.editor.settled();
    await first.editor.picture('fog-invite', here);

    const there = await openDialog(second.editor);
    await part(there, 'choose-join').click();
    await part(there, 'paste').fill('garua-invite-1-nonsense');
    await part(there, 'enter').click();
    await part(there, 'problem').filter({ hasText: 'no usable invite' }).waitFor();
    await second.editor.settled();
    await second.editor.picture('fog-join-wrong', there);
    await part(there, 'paste').fill(`  ${invite}\n`);
    await part(there, 'enter').click();
    await rows(there, /^northkitchen.*up.*ms/);
    await rows(there, /^southcellar.*up.*here/);
    // It may not invite: only the first one shows how.
    equal(await part(there, 'member').isVisible(), false);
    await rows(here, /^southcellar.*up.*ms/);
    await second.editor.settled();
    await second.editor.picture('fog-members', there);
    await first.editor.picture('fog-founder', here);

    for (const { nodeRed } of places) {
      ok(!nodeRed.log().includes(invite.slice(20, 60)), 'the invite was logged');
    }
    for (const { editor } of places) await closeDialog(editor, 'ok');
    const again = await openDialog(first.editor);
    await rows(again, /^southcellar/);
    equal(await part(again, 'line').inputValue(), '');
    for (const { nodeRed } of places) {
      const flows = (await (await fetch(`${nodeRed.url}flows`)).json()) as Record<string, unknown>[];
      const { id, type, name, site, dataDirectory, z, ...rest } = flows.find((node) => node.id === 'host')!;
      deepEqual([id, type, rest], ['host', 'fog-host', {}]);
      ok(!readFileSync(join(dirname(nodeRed.dataDirectory), 'flows.json'), 'utf8').includes('invite'));
    }
  });

  it('says when a member is away, and shows nothing of the fog for a host that is not deployed', async () => {
    const { editor } = first;
    const dialog = editor.page.locator('.red-ui-tray').last();
    await second.editor.page.close();
    places.pop();
    await running.pop()!.stop();
    await rows(dialog, /^southcellar.*(silent|away)/);
    await editor.settled();
    await editor.picture('fog-away', dialog);
    await closeDialog(editor, 'cancel');
    const fresh = await openDialog(editor, '_ADD_');
    await part(fresh, 'headline').filter({ hasText: 'deploy this host first' }).waitFor();
    equal(await part(fresh, 'choose-create').isVisible(), false);
  });

  it('raises no error in the browser', () => {
    deepEqual(
      places.flatMap(({ editor }) => editor.problems),
      [],
    );
  });
});
