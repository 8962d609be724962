import { deepEqual, equal, match } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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

interface PortRow {
  hostPort: string;
  containerPort: string;
}

/** What a process has used so far (proc_pid_stat(5): utime and stime, in ticks of 10 ms). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
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
      // Whoever opens it first looks after the containers.
      host = await openHost({ dataDirectory: nodeRed.dataDirectory, supervise: true });
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

    it('one publishes the port of a web server, and asks it whether it is well', async () => {
      const flow = readExample('Web server with a published port and a probe.json');
      const port = await freePort();
      const [published] = flow.find(({ type }) => type === 'deploy-container')!.ports as PortRow[];
      equal(published!.containerPort, '80');
      await deploy(flow, {
        command: `sh -c "mkdir -p /www && echo well > /www/index.html && exec httpd -f -p 80 -h /www"`,
        ports: [{ ...published!, hostPort: String(port) }],
        livenessInterval: '0.2',
      });
      const { health, ports } = await until('web-server', (status) => status.health === 'healthy');
      deepEqual([health, ports[0]!.hostPort], ['healthy', port]);
      equal((await (await fetch(`http://127.0.0.1:${port}/`)).text()).trim(), 'well');
      const { pid } = await host.container('web-server');
      process.kill(pid!, 'SIGKILL');
      await until('web-server', (status) => status.restarts === 1 && status.health === 'healthy');
    });

    it('one gives a device to a container, here one that stands in for pins', async () => {
      const flow = readExample('Container with a GPIO device.json');
      const device = folder.join('gpiochip0');
      // /dev/full: it can be told from others, for writing to it fails.
      execFileSync('mknod', ['-m', '660', device, 'c', '1', '7']);
      const [example] = flow.find(({ type }) => type === 'deploy-container')!.devices as { source: string }[];
      await deploy(flow, {
        command: `sh -c "echo 1 > /dev/gpiochip0; ls /dev; trap 'exit 0' TERM; sleep 1000 & wait"`,
        devices: [{ ...example!, source: device, target: example!.source }],
      });
      await until('blinking-led', runs);
      const lines: string[] = [];
      for await (const { text } of host.logs('blinking-led', { follow: true })) {
        lines.push(text);
        if (text === 'zero') break;
      }
      match(lines.join(' '), /No space left on device.* gpiochip0 /);
    });

    it('one gets a quarter of a core, and not more', async () => {
      await deploy(readExample('Worker on a quarter of a core.json'));
      const { pid } = await until('quarter-core-worker', runs);
      const [from, began] = [cpuSeconds(pid!), performance.now()];
      await delay(2_000);
      const cores = (cpuSeconds(pid!) - from) / ((performance.now() - began) / 1000);
      // What it may have saved up in the slice before comes on top.
      equal(cores > 0.02 && cores < 0.3, true, `${cores} cores`);
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
