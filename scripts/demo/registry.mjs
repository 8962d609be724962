/** A registry on this machine that serves the demo image. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError, say } from '../set-up/shared.mjs';
import { makeImage } from './image.mjs';
import { startBeside, waitForAnswer } from './processes.mjs';

const NAME = 'garua/city-sensor';
const TAG = '1';

/** Answers the registry's process and the reference of the image in it. */
export async function serveDemoImage(folder, port) {
  mkdirSync(folder, { recursive: true });
  const configuration = join(folder, 'registry.yml');
  writeFileSync(
    configuration,
    `version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: ${JSON.stringify(join(folder, 'storage'))}}}
http: {addr: "127.0.0.1:${port}"}
`,
  );
  const registry = startBeside('docker-registry', ['serve', configuration], join(folder, 'registry.log'));
  const address = `127.0.0.1:${port}`;
  if (!(await waitForAnswer(`http://${address}/v2/`, registry.ended, 20_000))) {
    await registry.stop();
    throw new SetupError(
      'ERR_DEMO_REGISTRY',
      `the registry on ${address} does not start:\n${registry.lastLines()}`,
      `Its log is ${join(folder, 'registry.log')}.`,
    );
  }
  try {
    if (!(await holdsImage(address))) push(folder, address);
  } catch (error) {
    await registry.stop();
    throw error;
  }
  return { registry, image: `${address}/${NAME}:${TAG}` };
}

async function holdsImage(address) {
  const response = await fetch(`http://${address}/v2/${NAME}/manifests/${TAG}`, {
    method: 'HEAD',
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  return response.ok;
}

function push(folder, address) {
  say(
    'Making the demo image (Busybox, a small program, 30 MB of files) and pushing it to a registry here ...',
  );
  const layout = join(folder, 'image');
  makeImage(layout, TAG);
  const target = `docker://${address}/${NAME}:${TAG}`;
  const args = ['--insecure-policy', 'copy', '--dest-tls-verify=false', `oci:${layout}:${TAG}`, target];
  const { status, stderr, error } = spawnSync('skopeo', args, { encoding: 'utf8' });
  rmSync(layout, { recursive: true });
  if (status !== 0) {
    throw new SetupError(
      'ERR_DEMO_PUSH',
      `skopeo could not push the demo image: ${error?.message ?? stderr}`,
      'Is the disk full?',
    );
  }
}
