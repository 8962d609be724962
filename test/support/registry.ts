/** The real thing: Debian's docker-registry on a free loopback port, with a file system of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../lib/image/image';
import type { TestArtifact } from './images';

/** The one account of a registry started with `auth`. */
export const REGISTRY_USER = { username: 'maker', password: 'secret' };
// crypt(3) of the password above; the registry takes bcrypt only.
const HTPASSWD = 'maker:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';

export interface TestRegistryOptions {
  /** Ask for REGISTRY_USER by HTTP basic authentication. */
  auth?: boolean;
  /** Where its files lie; default a temporary folder, removed by `stop`. */
  root?: string;
}

export interface TestRegistry {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  host: string;
  port: number;
  /** Uploads an image or an index; answers the digest of its manifest. */
  push(artifact: TestArtifact, name: string, tag: string): Promise<Digest>;
  stop(): Promise<void>;
}

export async function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'garua-registry-'));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  writeFileSync(join(folder, 'htpasswd'), HTPASSWD);
  writeFileSync(
    join(folder, 'config.json'),
    // JSON is YAML.
    JSON.stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: options.root ?? join(folder, 'root') },
        delete: { enabled: true },
      },
      http: { addr: host, secret: 'test' },
      ...(options.auth
        ? { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } }
        : undefined),
    }),
  );
  const child = spawn('docker-registry', ['serve', join(folder, 'config.json')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4000);
  });
  child.on('error', (error) => {
    stderr += error.message;
  });
  const killWithTest = () => child.kill('SIGKILL');
  process.once('exit', killWithTest);
  const stop = async () => {
    process.removeListener('exit', killWithTest);
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answering(host, child, () => stderr);
  } catch (error) {
    await stop();
    throw error;
  }
  const authorization: Record<string, string> = options.auth
    ? { authorization: `Basic ${btoa(`${REGISTRY_USER.username}:${REGISTRY_USER.password}`)}` }
    : {};
  return {
    host,
    port,
    push: (artifact, name, tag) => push(`http://${host}/v2/${name}`, artifact, tag, authorization),
    stop,
  };
}

/** A loopback port that nothing listens on (at the moment). */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve((address as { port: number }).port));
    });
  });
}

async function answering(host: string, child: ChildProcess, stderr: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null || child.pid === undefined) break;
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer) return;
    await sleep(50);
  }
  throw new Error(`docker-registry does not answer on ${host} (is it installed?): ${stderr()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

async function push(
  base: string,
  artifact: TestArtifact,
  tag: string,
  headers: Record<string, string>,
): Promise<Digest> {
  const request = async (method: string, url: string, init: RequestInit = {}) => {
    const answer = await fetch(url, { method, ...init, headers: { ...headers, ...init.headers } });
    if (!answer.ok && answer.status !== 404) {
      throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
    }
    await answer.arrayBuffer();
    return answer;
  };
  for (const [digest, bytes] of artifact.blobs) {
    if ((await request('HEAD', `${base}/blobs/${digest}`)).ok) continue;
    const upload = await request('POST', `${base}/blobs/uploads/`);
    const location = new URL(upload.headers.get('location')!, base);
    location.searchParams.set('digest', digest);
    await request('PUT', location.href, {
      body: new Uint8Array(bytes),
      headers: { 'content-type': 'application/octet-stream' },
    });
  }
  for (const [digest, { mediaType, bytes }] of artifact.manifests) {
    const reference = digest === artifact.digest ? tag : digest;
    await request('PUT', `${base}/manifests/${reference}`, {
      body: new Uint8Array(bytes),
      headers: { 'content-type': mediaType },
    });
  }
  return artifact.digest;
}
