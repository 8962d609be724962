import { deepEqual, equal, match } from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { openHost } from '../../../lib/control';
import { Editor } from '../../support/editor';
import { busyboxLayer, makeImage } from '../../support/images';
import { type NodeRedProcess, startNodeRed } from '../../support/node-red-process';
import { freePort, REGISTRY_USER, startRegistry, type TestRegistry } from '../../support/registry';

const EXAMPLE = 'Web server with a published port and a probe';
const SECTIONS = ['image', 'run', 'network', 'limits', 'devices', 'health', 'scale', 'advanced'];

describe('the deploy-container dialog', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: Editor;
  let registry: TestRegistry;
  const image = makeImage({ layers: [busyboxLayer()], config: { Cmd: ['sleep', '1000'] } });

  before(async () => {
    registry = await startRegistry({ auth: true });
    await registry.push(image, 'web', '1');
    nodeRed = await startNodeRed();
    editor = await Editor.open(nodeRed.url);
    await editor.importExample(EXAMPLE);
    await editor.showFlow(EXAMPLE);
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed' || !editor) return;
    await editor.picture('dialog-failure');
    // Each test begins with no dialog.
    const button = editor.page.locator('#node-config-dialog-cancel, #node-dialog-cancel');
    while (await button.last().isVisible()) {
      await button.last().click();
      await editor.settled();
    }
  });

  after(async () => {
    await editor?.close();
    if (nodeRed) {
      const host = await openHost({ dataDirectory: nodeRed.dataDirectory });
      for (const { name } of await host.containers()) await host.remove(name, { force: true, graceMs: 0 });
      await host.close();
    }
    await nodeRed?.stop();
    await registry?.stop();
  });

  const section = (dialog: Locator, name: string) => dialog.locator(`#garua-section-${name}`);

  async function unfold(dialog: Locator, name: string): Promise<Locator> {
    const part = section(dialog, name);
    if ((await part.getAttribute('open')) === null) await part.locator('summary').click();
    await part.locator('.garua-body').waitFor();
    return part;
  }

  async function cancel(): Promise<void> {
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('#node-dialog-cancel').waitFor({ state: 'detached' });
    await editor.settled();
  }

  async function nodeOf(name: string): Promise<Record<string, unknown>> {
    const flows = (await (await fetch(`${nodeRed.url}flows`)).json()) as Record<string, unknown>[];
    return flows.find((node) => node.type === 'deploy-container' && node.name === name)!;
  }

  const imageField = (dialog: Locator) =>
    section(dialog, 'image').locator('.red-ui-typedInput-container input[type="text"]').first();

  it('says of folded sections what they hold, and unfolds them by mouse and by keyboard', async () => {
    const dialog = await editor.openDialog('web-server');
    await editor.picture('deploy-container-sections', dialog);
    for (const name of SECTIONS) {
      const open = await section(dialog, name).getAttribute('open');
      equal(open !== null, name === 'image' || name === 'run', name);
    }
    const words = (name: string) => section(dialog, name).locator('.garua-set').textContent();
    deepEqual(await Promise.all(['network', 'limits', 'devices', 'health', 'advanced'].map(words)), [
      '1 set',
      '1 set',
      '',
      '5 set',
      '',
    ]);
    await section(dialog, 'limits').locator('summary').focus();
    await editor.page.keyboard.press('Enter');
    await dialog.locator('#node-input-memory').waitFor();
    await editor.page.keyboard.press('Tab');
    equal(
      await dialog
        .locator('#node-input-memory')
        .evaluate((field) => field === field.ownerDocument.activeElement),
      true,
    );
    await unfold(dialog, 'network');
    await dialog.getByPlaceholder('host port').waitFor();
    await cancel();
  });

  it('finds every field by its label', async () => {
    const dialog = await editor.openDialog('web-server');
    for (const name of SECTIONS) await unfold(dialog, name);
    await dialog.locator('#node-input-readiness').selectOption('tcp');
    await dialog.locator('#node-input-restart').selectOption('on-failure');
    for (const add of ['variable', 'port', 'host', 'mount', 'device', 'label']) {
      await dialog.getByRole('button', { name: new RegExp(`add ${add}$`) }).click();
    }
    await editor.settled();
    const nameless = await dialog.locator('.garua-deploy').evaluate((form) => {
      const visible = [...form.querySelectorAll<HTMLInputElement>('input, select, button')].filter(
        (field) =>
          field.getClientRects().length > 0 &&
          !field.closest('.red-ui-typedInput-container, .red-ui-editableList-item-handle'),
      );
      const unnamed = visible.filter(
        (field) =>
          !(
            field.labels?.length ||
            field.getAttribute('aria-label') ||
            field.textContent?.trim() ||
            field.title
          ),
      );
      return unnamed.map((field) => field.outerHTML);
    });
    deepEqual(nameless, []);
    await cancel();
  });

  it('tests an image: wrong name, access denied, and then what it is, with a password not deployed yet', async () => {
    const { page } = editor;
    const dialog = await editor.openDialog('web-server');
    const answer = dialog.locator('#garua-image-answer');
    const button = dialog.getByRole('button', { name: 'Test image' });
    await imageField(dialog).fill('Not/An/Image');
    await button.click();
    await answer.filter({ hasText: 'not an image reference' }).waitFor();
    await imageField(dialog).fill(`${registry.host}/web:1`);
    equal((await answer.textContent())!.trim(), '');
    await button.click();
    await answer.filter({ hasText: registry.host }).waitFor();
    match((await answer.textContent())!, /credentials|password|log|access|user/i);
    await editor.picture('deploy-container-image-refused', dialog);
    await dialog.locator('#node-input-btn-host-add, #node-input-lookup-host').first().click();
    await page.locator('#node-config-input-name').waitFor();
    await editor.settled();
    const config = page.locator('.red-ui-tray').last();
    await config.getByText('add registry').click();
    await config.getByPlaceholder('registry.example.com:5000').fill(registry.host);
    await config.getByPlaceholder('user', { exact: true }).fill(REGISTRY_USER.username);
    await config.locator('.garua-registry input[type="password"]').fill(REGISTRY_USER.password);
    const asked = page.waitForRequest((request) => request.url().endsWith('/resolve'));
    await page.locator('#node-config-dialog-ok').click();
    await page.locator('#node-config-dialog-ok').waitFor({ state: 'detached' });
    await editor.settled();
    await button.click();
    await answer.filter({ hasText: image.digest }).waitFor();
    match((await answer.textContent())!, /linux\/(amd64|arm64).* MB in 1 layer/);
    equal((await asked).url().includes(REGISTRY_USER.password), false);
    await editor.picture('deploy-container-image', dialog);
    await editor.closeDialog();
  });

  it('lists the devices of the host to choose from, and takes others by their path', async () => {
    const { page } = editor;
    const devices = [
      { path: '/dev/gpiochip0', kind: 'gpio', group: 'gpio', description: 'pinctrl-bcm2711' },
      { path: '/dev/i2c-1', kind: 'i2c', group: 'i2c', description: '' },
      { path: '/dev/serial/by-id/usb-FTDI_FT232R', kind: 'serial', group: 'dialout', description: 'ttyUSB0' },
    ];
    await page.route('**/garua/host/*/devices', (route) => route.fulfill({ json: { devices } }));
    const dialog = await editor.openDialog('web-server');
    const part = await unfold(dialog, 'devices');
    const choice = part.getByLabel('Add device');
    deepEqual(
      await choice
        .locator('optgroup')
        .evaluateAll((groups) => groups.map((group) => group.getAttribute('label'))),
      ['GPIO', 'I2C', 'Serial ports'],
    );
    await choice.selectOption('/dev/gpiochip0');
    await part.getByRole('button', { name: /add device$/ }).click();
    await part.getByPlaceholder('/dev/...').last().fill('/dev/ttyACM7');
    await part.getByLabel('Permissions').last().selectOption('r');
    await editor.settled();
    await editor.picture('deploy-container-devices', dialog);
    await editor.closeDialog();
    await page.unroute('**/garua/host/*/devices');
    const again = await editor.openDialog('web-server');
    const rows = section(again, 'devices').getByPlaceholder('/dev/...');
    await unfold(again, 'devices');
    deepEqual(await rows.evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value)), [
      '/dev/gpiochip0',
      '/dev/ttyACM7',
    ]);
    for (let count = 2; count > 0; count -= 1) {
      await section(again, 'devices').locator('.red-ui-editableList-item-remove').first().click();
      await editor.settled();
    }
    await editor.closeDialog();
  });

  it('says at the field what is wrong, and at the folded section how much', async () => {
    const dialog = await editor.openDialog('web-server');
    const wrong: [string, string, string, RegExp][] = [
      ['run', 'command', 'echo "open', /quote/],
      ['limits', 'memory', '1k', /at least 6m/],
      ['limits', 'cpus', 'half', /0\.25/],
      ['network', 'hostname', 'not a name', /letters/],
      ['scale', 'replicas', '2', /need a service/],
      ['scale', 'sites', 'home; shop', /commas/],
      ['health', 'livenessTarget', 'nonsense', /URL/],
      ['health', 'livenessInterval', 'soon', /seconds/],
      ['advanced', 'workingDirectory', 'here', /starts with \//],
    ];
    for (const [part, field, value, message] of wrong) {
      await unfold(dialog, part);
      const input = dialog.locator(`#node-input-${field}`);
      await input.fill(value);
      await dialog.locator(`#garua-problem-${field}`).filter({ hasText: message }).waitFor();
      match((await input.getAttribute('class')) ?? '', /input-error/);
    }
    const network = section(dialog, 'network');
    await network.getByPlaceholder('host port').fill('99999');
    await network.locator('.garua-row .garua-problem').filter({ hasText: '65535' }).waitFor();
    await section(dialog, 'limits').scrollIntoViewIfNeeded();
    await editor.picture('deploy-container-wrong', dialog);
    equal(await section(dialog, 'limits').locator('.garua-wrong').textContent(), '2 to correct');
    equal(await network.locator('.garua-wrong').textContent(), '2 to correct');
    await dialog.locator('#node-input-memory').fill('${' + 'MEMORY}');
    await dialog.locator('#node-input-cpus').fill('0.25');
    equal(await section(dialog, 'limits').locator('.garua-wrong').textContent(), '');
    await cancel();
  });

  it('keeps what is entered', async () => {
    const fields: Record<string, Record<string, string>> = {
      run: {},
      network: { hostname: 'web-1', service: 'web', servicePort: '80' },
      limits: { swap: '64m', cpus: '0.5', pids: '200', ioWeight: '50' },
      scale: { replicas: '2', sites: 'home, shop' },
      health: { livenessTimeout: '2', livenessFailures: '4' },
      advanced: { user: 'nobody', groups: 'dialout', workingDirectory: '/tmp', capabilitiesDrop: 'NET_RAW' },
    };
    let dialog = await editor.openDialog('web-server');
    for (const [part, values] of Object.entries(fields)) {
      await unfold(dialog, part);
      for (const [field, value] of Object.entries(values))
        await dialog.locator(`#node-input-${field}`).fill(value);
    }
    const mounts = await unfold(dialog, 'devices');
    await mounts.getByRole('button', { name: 'add mount' }).click();
    await mounts.getByLabel('Kind of mount').selectOption('tmpfs');
    await mounts.getByPlaceholder('64m').fill('16m');
    await mounts.getByPlaceholder('/in/container').fill('/scratch');
    await dialog.locator('#node-input-readOnlyRoot').check();
    await dialog.locator('#node-input-readiness').selectOption('exec');
    await dialog.locator('#node-input-readinessTarget').fill('test -e /tmp');
    await dialog.locator('#node-input-privileged').check();
    await dialog.getByText('controls the host').waitFor();
    await section(dialog, 'health').scrollIntoViewIfNeeded();
    await editor.settled();
    await editor.picture('deploy-container-filled', dialog);
    await editor.closeDialog();
    dialog = await editor.openDialog('web-server');
    for (const part of SECTIONS) await unfold(dialog, part);
    for (const [field, value] of Object.values(fields).flatMap((values) => Object.entries(values))) {
      equal(await dialog.locator(`#node-input-${field}`).inputValue(), value, field);
    }
    equal(await dialog.getByPlaceholder('64m').inputValue(), '16m');
    equal(await dialog.locator('#node-input-readinessTarget').inputValue(), 'test -e /tmp');
    equal(await dialog.locator('#node-input-privileged').isChecked(), true);
    await section(dialog, 'devices').locator('.red-ui-editableList-item-remove').first().click();
    for (const field of ['privileged', 'readOnlyRoot'])
      await dialog.locator(`#node-input-${field}`).uncheck();
    await dialog.locator('#node-input-readiness').selectOption('');
    for (const field of ['user', 'groups', 'swap', 'ioWeight', 'replicas', 'sites'])
      await dialog.locator(`#node-input-${field}`).fill('');
    await editor.settled();
    await editor.closeDialog();
  });

  it('deploys the example until it is healthy and its published port answers', async () => {
    const dialog = await editor.openDialog('web-server');
    const port = await freePort();
    const network = await unfold(dialog, 'network');
    await network.getByPlaceholder('host port').fill(String(port));
    await dialog
      .locator('#node-input-command')
      .fill(
        `sh -c "mkdir -p /tmp/www && echo well > /tmp/www/index.html && exec httpd -f -p 80 -h /tmp/www"`,
      );
    await unfold(dialog, 'health');
    await dialog.locator('#node-input-livenessInterval').fill('0.5');
    await editor.closeDialog();
    const seen = await editor.watchStatus('web-server');
    await editor.deploy();
    const status = editor.node('web-server').locator('.red-ui-flow-node-status-label');
    await status.filter({ hasText: /^healthy$/ }).waitFor();
    match((await seen()).join(' '), /^resolving .*healthy$/);
    equal((await (await fetch(`http://127.0.0.1:${port}/`)).text()).trim(), 'well');
    const node = await nodeOf('web-server');
    deepEqual([node.network, node.memory, node.cpus, node.liveness], ['bridge', '128m', '0.5', 'http']);
    await editor.settled();
    await editor.picture('deploy-container-healthy');
  });

  it('gives a new node the bridge, and one of an earlier version the network that it had', async () => {
    const earlier = {
      id: 'earlier01',
      type: 'deploy-container',
      z: '',
      name: 'earlier',
      image: 'busybox',
      wires: [[], []],
    };
    const { page } = editor;
    const networks = await page.evaluate((node) => {
      const { RED } = globalThis as unknown as {
        RED: {
          workspaces: { active(): string };
          nodes: {
            import(nodes: object[], options: object): void;
            getType(type: string): { defaults: { network: { value: string } } };
          };
          view: { redraw(full: boolean): void };
        };
      };
      RED.nodes.import([{ ...node, z: RED.workspaces.active(), x: 400, y: 400 }], { generateIds: false });
      RED.view.redraw(true);
      return RED.nodes.getType('deploy-container').defaults.network.value;
    }, earlier);
    equal(networks, 'bridge');
    deepEqual(await editor.invalidNodes(), []);
    const dialog = await editor.openDialog('earlier');
    equal(await dialog.locator('#node-input-network').inputValue(), 'host');
    equal(await dialog.locator('#node-input-restart').inputValue(), 'no');
    await cancel();
  });

  it('imports the examples as they are', async () => {
    for (const name of ['Container with a GPIO device', 'Worker on a quarter of a core']) {
      await editor.importExample(name);
    }
    deepEqual(await editor.invalidNodes(), []);
    await editor.showFlow('Container with a GPIO device');
    await editor.settled();
    await editor.picture('deploy-container-device-example');
  });

  it('had no error on the page', () => deepEqual(editor.problems, []));
});
