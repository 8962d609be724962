/** The Node-RED editor in a real browser, in the words of its user. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

interface EditorNode {
  type: string;
  name: string;
  valid: boolean;
}

const QUIET = ['disable-gpu', 'disable-quic', 'no-first-run', 'disable-background-networking'];
const OFFLINE = ['disable-component-update', 'disable-sync', 'no-sandbox'];

export class Editor {
  /** What went wrong in the page since it was there: exceptions, and errors on its console. */
  readonly problems: string[] = [];

  private constructor(
    readonly browser: Browser,
    readonly page: Page,
  ) {
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(`${message.text()} ${message.location().url}`);
    });
  }

  /** Opens the editor, in a browser that is there or in one of its own; Debian's chromium must be installed. */
  static async open(url: string, present?: Browser): Promise<Editor> {
    const browser =
      present ??
      (await chromium.launch({
        executablePath: process.env.GARUA_CHROMIUM ?? '/usr/bin/chromium',
        args: [...QUIET, ...OFFLINE].map((name) => `--${name}`),
      }));
    const page = await browser.newPage({ viewport: { width: 1400, height: 800 }, locale: 'en-US' });
    page.setDefaultTimeout(45_000);
    await page.goto(url);
    await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    await page.locator('.red-ui-palette-node[data-palette-type="deploy-container"]').waitFor();
    return new Editor(browser, page);
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  /** Keeps a picture where GARUA_SCREENSHOTS says, if it does. */
  async picture(name: string, part: Page | Locator = this.page): Promise<void> {
    const folder = process.env.GARUA_SCREENSHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    const style = '#red-ui-notifications { visibility: hidden }';
    await part.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', style });
  }

  /** Imports an example of this package and shows its flow. */
  async importExample(name: string): Promise<void> {
    const { page } = this;
    await page.locator('#red-ui-workspace-chart').click({ position: { x: 600, y: 500 } });
    await page.keyboard.press('Control+i');
    await page.locator('#red-ui-clipboard-dialog-import-tabs li a', { hasText: 'Examples' }).click();
    const library = page.locator('#red-ui-clipboard-dialog-import-tab-examples');
    await library.locator('.red-ui-treeList-label', { hasText: '@garua/node-red-fog' }).first().click();
    const entry = library.locator('.red-ui-treeList-label', { hasText: name }).last();
    await entry.click();
    await this.picture('import-example', page.locator('.ui-dialog').last());
    await page.locator('#red-ui-clipboard-dialog-ok:not([disabled])').click();
    await entry.waitFor({ state: 'hidden' });
  }

  /** Shows the flow with this tab label. */
  async showFlow(label: string): Promise<void> {
    await this.page.locator('#red-ui-workspace-tabs .red-ui-tab-label', { hasText: label }).click();
  }

  /** A node on the canvas, by its label. */
  node(label: string): Locator {
    const text = this.page.locator('.red-ui-flow-node-label', { hasText: label });
    return this.page.locator('g.red-ui-flow-node-group', { has: text });
  }

  /** Opens a node's dialog. */
  async openDialog(label: string): Promise<Locator> {
    await this.node(label).dblclick();
    const dialog = this.page.locator('.red-ui-tray').last();
    await dialog.locator('#node-dialog-ok').waitFor();
    await this.settled();
    return dialog;
  }

  async closeDialog(): Promise<void> {
    await this.page.locator('#node-dialog-ok').click();
    await this.page.locator('#node-dialog-ok').waitFor({ state: 'detached' });
    await this.settled();
  }

  /** Presses Deploy and waits until Node-RED has done it. */
  async deploy(): Promise<void> {
    await this.page.locator('#red-ui-header-button-deploy:not(.disabled)').click();
    await this.page.locator('.red-ui-notification-success').last().waitFor();
  }

  /** Collects the status texts of a node from now on, without a gap. */
  async watchStatus(label: string): Promise<() => Promise<string[]>> {
    const handle = await this.node(label).elementHandle();
    await handle!.evaluate((group) => {
      const view = globalThis as unknown as { seen: string[] };
      view.seen = [];
      new MutationObserver(() => {
        const text = group.querySelector('.red-ui-flow-node-status-label')?.textContent ?? '';
        if (text && view.seen.at(-1) !== text) view.seen.push(text);
      }).observe(group, { subtree: true, childList: true, characterData: true, attributes: true });
    });
    return () => this.page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
  }

  /** The nodes that the editor would not deploy without asking. */
  invalidNodes(): Promise<string[]> {
    return this.page.evaluate(() => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { filterNodes(filter: object): EditorNode[] } };
      };
      return RED.nodes.filterNodes({}).flatMap(({ type, name, valid }) => (valid ? [] : [`${type} ${name}`]));
    });
  }

  /** Lets trays slide and notifications fade before something is looked at. */
  async settled(): Promise<void> {
    await this.page.waitForTimeout(500);
  }
}
