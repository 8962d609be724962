import { deepEqual, equal, match } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStatus } from '../../lib/container';
import { openHost } from '../../lib/control';
import type { Host } from '../../lib/host';
import { busyboxLayer, makeImage, writeOciLayout } from '../support/images';
import { type FlowNode, PROJECT } from '../support/node-red';
import { type NodeRedProcess, startNodeRed } from '../support/node-red-process';
import { freePort } from '../support/registry';
import { temporaryFolder } from '../support/temporary';

const FOLDER = join(PROJECT, 'examples');

function readExample(name: string): FlowNode[] {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}

describe('the examples', function () {
  this.timeout(60_000);
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

  for (const name of names) {
    it(`"${name}" begins with a comment and is wired to itself only`, () => {
      const flow = readExample(name);
      equal(flow[0]!.type, 'comment');
      match(flow[0]!.info as string, /\w{3}/);
      const ids = new Set(flow.map(({ id }) => id));
      equal(ids.size, flow.length);
      for (const { wires = [], z } of flow) {
        for (const target of wires.flat()) equal(ids.has(target), true);
        if (z) equal(ids.has(z), true);
      }
    });
  }

  describe('when deployed', () => {
    const folder = temporaryFolder();
    let nodeRed: NodeRedProcess;
    let host: Host;

    before(async () => {
      writeOciLayout(folder.join('stick'), [makeImage({ layers: [busyboxLayer()] })], ['latest']);
      nodeRed = await startNodeRed();
      host = await openHost({ dataDirectory: nodeRed.dataDirectory });
    });
    after(async () => {
      await deploy([]).catch(() => {});
      await host?.close();
      await nodeRed?.stop();
    });

    /** What the Deploy button does, with the image from a folder of this test. */
    async function deploy(flow: FlowNode[], changes: Record<string, unknown> = {}): Promise<void> {
      const image = `oci:${folder.join('stick')}:latest`;
      const flows = flow.map((node) =>
        node.type === 'deploy-container' ? { ...node, image, start: true, ...changes } : node,
      );
      const answer = await fetch(`${nodeRed.url}flows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'node-red-deployment-type': 'full' },
        body: JSON.stringify(flows),
      });
      equal(answer.status, 204, await answer.text());
    }

    async function until(name: string, fits: (status: ContainerStatus) => boolean): Promise<ContainerStatus> {
      for (;;) {
        const found = (await host.containers()).find((container) => container.name === name);
        if (found && fits(found)) return found;
        await delay(50);
      }
    }

    const runs = ({ state }: ContainerStatus) => state === 'running';

    it('one serves a page', async () => {
      const flow = readExample('Deploy from a registry.json');
      const node = flow.find(({ type }) => type === 'deploy-container')!;
      const port = await freePort();
      await deploy(flow, { command: (node.command as string).replace('8080', String(port)) });
      await until('hello-fog', runs);
      for (;;) {
        const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
        if (answer) return equal((await answer.text()).trim(), 'Hello from the fog');
        await delay(50);
      }
    });

    it('one runs without a network, and what was deployed before is gone', async () => {
      await deploy(readExample('Deploy from an OCI folder with no network.json'));
      await until('offline-clock', runs);
      for await (const { text } of host.logs('offline-clock', { follow: true })) {
        match(text, /\d\d:\d\d:\d\d/);
        break;
      }
      deepEqual(
        (await host.containers()).map(({ name }) => name),
        ['offline-clock'],
      );
    });

    it('one brings a dead container back', async () => {
      const flow = readExample('React to a container that dies.json');
      for (const node of flow) if (node.type === 'delay') node.timeout = '0.2';
      await deploy(flow);
      const { pid } = await until('fragile', runs);
      process.kill(pid!, 'SIGKILL');
      await until('fragile', (status) => runs(status) && status.pid !== pid);
    });
  });
});
