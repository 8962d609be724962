import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPlatform } from '../../../lib/image/reference';
import { readDocument } from '../../../lib/image/registry/answer';
import { redirectTarget, Transport } from '../../../lib/image/registry/transport';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry';
import { makeImage } from '../../support/images';
import { freePort } from '../../support/registry';
import { openSource, readAll } from './support';

describe('registry transport', () => {
  const image = makeImage();
  const layer = image.manifest.layers[0]!;
  let registry: FaultyRegistry;
  beforeEach(async () => {
    registry = await startFaultyRegistry({ auth: 'token' });
    registry.add(image, 'a/b');
  });
  afterEach(() => registry.stop());

  it('follows redirects without taking the authorization to another port', async () => {
    registry.fault({ match: { kind: 'blob' }, action: { type: 'redirect' }, skip: 1 });
    const source = openSource(`${registry.host}/a/b`);
    await readAll(await source.openBlob(layer, 0));
    registry.fault({ match: { kind: 'blob' }, action: { type: 'redirect' } });
    const rest = await readAll(await source.openBlob(layer, 5));
    assert.ok(rest.equals(image.blobs.get(layer.digest)!.subarray(5)));
    await source.close();
    const redirected = registry.requestsOf('content');
    assert.equal(redirected.length, 2);
    assert.equal(redirected[1]!.range, 'bytes=5-');
    for (const { headers } of redirected) assert.equal(headers.authorization, undefined);
    assert.ok(registry.requestsOf('blob').at(-1)!.headers.authorization);
  });

  it('ends a redirection loop', async () => {
    const location = `/v2/a/b/blobs/${layer.digest}`;
    registry.fault({ match: { kind: 'blob' }, action: { type: 'redirect', location }, times: Infinity });
    const source = openSource(`${registry.host}/a/b`);
    await assert.rejects(source.openBlob(layer, 0), {
      code: 'ERR_REGISTRY_PROTOCOL',
      message: /without end/,
    });
    await source.close();
    assert.ok(registry.requestsOf('blob').length < 10);
  });

  it('refuses to be redirected to another protocol', async () => {
    const location = 'file:///etc/passwd';
    registry.fault({ match: { kind: 'blob' }, action: { type: 'redirect', location }, times: Infinity });
    const source = openSource(`${registry.host}/a/b`);
    await assert.rejects(source.openBlob(layer, 0), { code: 'ERR_REGISTRY_PROTOCOL', message: /file:/ });
    await source.close();
  });

  it('shows no query of a URL, which may be a signature', async () => {
    const location = `http://127.0.0.1:${await freePort()}/blob?signature=abcdef`;
    registry.fault({ match: { kind: 'blob' }, action: { type: 'redirect', location }, times: Infinity });
    const source = openSource(`${registry.host}/a/b`);
    await assert.rejects(source.openBlob(layer, 0), (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_REGISTRY_UNREACHABLE');
      assert.ok(!error.message.includes('signature'), error.message);
      return true;
    });
    await source.close();
  });

  it('keeps its connection, and takes a new one when the server has closed it', async () => {
    const requests = new Map<Socket, number>();
    const server = createHttpServer((request, response) => {
      const count = (requests.get(request.socket) ?? 0) + 1;
      requests.set(request.socket, count);
      if (count === 3) request.socket.destroy();
      else response.end('ok');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const transport = new Transport();
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    for (let count = 0; count < 3; count += 1) {
      const response = await transport.send(url);
      assert.equal((await readDocument('it', response, { limit: 10, idleMs: 1000 })).toString(), 'ok');
      await new Promise(setImmediate);
    }
    assert.deepEqual([...requests.values()], [3, 1]);
    transport.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('says when nothing listens', async () => {
    const source = openSource(`127.0.0.1:${await freePort()}/a`);
    await assert.rejects(source.resolve(hostPlatform()), {
      code: 'ERR_REGISTRY_UNREACHABLE',
      temporary: true,
      message: /nothing listens there/,
    });
    await source.close();
  });

  it('tells a server that accepts and stays silent from one that does not answer', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const transport = new Transport({ connectMs: 200, idleMs: 300 });
    const timeout = (message: RegExp) => ({ code: 'ERR_REGISTRY_TIMEOUT', temporary: true, message });
    const [tls, plain] = [new URL(`https://127.0.0.1:${port}`), new URL(`http://127.0.0.1:${port}`)];
    await assert.rejects(transport.send(tls), timeout(/could not be connected within 200 ms/));
    await assert.rejects(transport.send(plain), timeout(/did not answer within 300 ms/));
    transport.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('says when there is no such host', async () => {
    const source = openSource('registry.invalid/a');
    await assert.rejects(source.resolve(hostPlatform()), { code: 'ERR_REGISTRY_UNREACHABLE' });
    await source.close();
  });

  it('says when it is not HTTP that answers', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.resume();
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const source = openSource(`127.0.0.1:${(server.address() as AddressInfo).port}/a`);
    await assert.rejects(source.resolve(hostPlatform()), (error: Error & { code: string }) => {
      assert.match(error.code, /^ERR_REGISTRY_(PROTOCOL|UNREACHABLE)$/);
      return true;
    });
    await source.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('registry over TLS', () => {
  let folder: string;
  let server: Server;
  let host: string;
  const image = makeImage();
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'garua-tls-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test -keyout ${key} -out ${certificate}`.split(
        ' ',
      ),
      { stdio: 'ignore' },
    );
    const options = { key: readFileSync(key), cert: readFileSync(certificate) };
    server = createHttpsServer(options, (request, response) => {
      const reference = request.url!.split('/').at(-1)!;
      response.end(image.blobs.get(reference) ?? image.bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('is found on this machine although http is tried first', async () => {
    const source = openSource(`${host}/a`);
    assert.equal((await source.resolve(hostPlatform())).digest, image.digest);
    await source.close();
  });

  it('is not trusted with an unknown certificate, unless insecure', async () => {
    const transport = new Transport();
    const url = new URL(`https://${host}/v2/a/manifests/latest`);
    await assert.rejects(transport.send(url), {
      code: 'ERR_REGISTRY_UNREACHABLE',
      temporary: false,
      message: /certificate .* cannot be trusted/,
    });
    const response = await transport.send(url, { insecure: true });
    assert.equal(response.statusCode, 200);
    transport.close();
  });

  it('is not left for plain http by a redirect, unless insecure', () => {
    const from = new URL('https://h.example/v2/x');
    assert.throws(() => redirectTarget(from, 'http://h.example/blob', false), {
      code: 'ERR_REGISTRY_PROTOCOL',
      message: /from https to http/,
    });
    assert.equal(redirectTarget(from, 'http://u:p@h.example/b', true).href, 'http://h.example/b');
    assert.equal(redirectTarget(from, '../c?q=1', false).href, 'https://h.example/c?q=1');
    assert.throws(() => redirectTarget(from, 'http://', true), { code: 'ERR_REGISTRY_PROTOCOL' });
  });
});
