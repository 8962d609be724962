/** Makes the demo image, as an OCI image layout, of things that are on this machine already. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { findProgram, root, SetupError } from '../set-up/shared.mjs';

const MEDIA = 'application/vnd.oci.image';
const COMMANDS = ['sh', 'cat', 'date', 'httpd', 'kill', 'ls', 'mkdir', 'mv', 'ps', 'sleep', 'top', 'wget'];

/** The layout's only image gets the tag; the same inputs give the same digests. */
export function makeImage(layout, tag) {
  const staging = `${layout}.staging`;
  for (const folder of [layout, staging]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });

  const layers = [systemFolder(join(staging, 'system')), dataFolder(join(staging, 'data'))].map((folder) => {
    const tar = archive(folder);
    return {
      diffId: digestOf(tar),
      descriptor: addBlob(layout, `${MEDIA}.layer.v1.tar+gzip`, gzipSync(tar)),
    };
  });
  const architecture = { x64: 'amd64' }[process.arch] ?? process.arch;
  const config = {
    os: 'linux',
    architecture,
    ...(architecture === 'arm64' ? { variant: 'v8' } : {}),
    config: {
      Cmd: ['/usr/local/bin/city-sensor'],
      Env: ['PATH=/usr/local/bin:/bin'],
      WorkingDir: '/',
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
  const manifest = addJson(layout, `${MEDIA}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config: addJson(layout, `${MEDIA}.config.v1+json`, config),
    layers: layers.map(({ descriptor }) => descriptor),
  });
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  rmSync(staging, { recursive: true });
}

function systemFolder(folder) {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'usr/local/bin']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  chmodSync(join(folder, 'tmp'), 0o1777);
  copyFileSync(findProgram('busybox'), join(folder, 'bin/busybox'));
  chmodSync(join(folder, 'bin/busybox'), 0o755);
  for (const command of COMMANDS) symlinkSync('busybox', join(folder, 'bin', command));
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  const program = join(folder, 'usr/local/bin/city-sensor');
  copyFileSync(join(root, 'scripts/demo/city-sensor.sh'), program);
  chmodSync(program, 0o755);
  return folder;
}

/** About 30 MB in many files, so that there is something to see arriving. */
function dataFolder(folder) {
  const source = join(root, 'node_modules/@node-red/editor-client/public');
  cpSync(source, join(folder, 'usr/share/city-sensor'), { recursive: true });
  return folder;
}

/** A tar archive that depends on the files' contents only. */
function archive(folder) {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  const { status, stdout, stderr } = spawnSync('tar', [...same, '-c', '-C', folder, '.'], {
    maxBuffer: 1 << 28,
  });
  if (status === 0) return stdout;
  throw new SetupError('ERR_DEMO_IMAGE', `tar could not make a layer: ${stderr}`, 'Is the disk full?');
}

function addJson(layout, mediaType, document) {
  return addBlob(layout, mediaType, Buffer.from(JSON.stringify(document)));
}

function addBlob(layout, mediaType, bytes) {
  const digest = digestOf(bytes);
  writeFileSync(join(layout, 'blobs', digest.replace(':', '/')), bytes);
  return { mediaType, digest, size: bytes.length };
}

function digestOf(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
