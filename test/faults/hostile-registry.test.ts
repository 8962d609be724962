import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { PullResult } from '../../lib';
import {
  type Fault,
  type FaultyRegistryOptions,
  type Misbehaviour,
  startFaultyRegistry,
} from '../support/faulty-registry';
import { garua, garuaJson } from '../support/garua';
import { fileLayer, makeImage } from '../support/images';
import { temporaryFolder } from '../support/temporary';
import { finishedLayers, halfDone, namesIn } from './tools';

const image = makeImage({
  layers: [fileLayer({ a: randomBytes(300_000) }), fileLayer({ b: randomBytes(700_000) })],
});
const [, top] = image.manifest.layers;

interface Case {
  what: string;
  /** What the pull must say; absent: it gets through. */
  code?: RegExp;
  where: NonNullable<Fault['match']>;
  action: Misbehaviour;
  /** Default: always. */
  times?: number;
  /** Seconds within which it has to end. Default 20. */
  bound?: number;
  options?: FaultyRegistryOptions;
}

const manifest = { kind: 'manifest' } as const;
const blob = { kind: 'blob', digest: top!.digest } as const;
const configuration = { kind: 'blob', digest: image.manifest.config.digest } as const;
const token = { kind: 'token' } as const;
const withTokens = { auth: 'token' } as const;
const DIGEST = /^ERR_IMAGE_DIGEST_MISMATCH$/;
const PROTOCOL = /^ERR_REGISTRY_PROTOCOL$/;
const TOO_LONG = /^ERR_IMAGE_BLOB_TOO_LONG$/;
const FAILED = /^ERR_IMAGE_DOWNLOAD_FAILED$/;
const REFUSED = /^ERR_REGISTRY_UNAUTHORIZED$/;
const UNREACHABLE = /^ERR_REGISTRY_UNREACHABLE$/;
const DOWN = /^ERR_REGISTRY_UNAVAILABLE$/;

const CASES: Case[] = [
  {
    what: 'a manifest with a wrong byte',
    code: /^ERR_IMAGE_(DIGEST_MISMATCH|MANIFEST_INVALID)$/,
    where: manifest,
    action: { type: 'corrupt', at: 40 },
  },
  { what: 'half a manifest', code: /^ERR_/, where: manifest, action: { type: 'short', bytes: 100 } },
  { what: 'a manifest without end', code: /^ERR_/, where: manifest, action: { type: 'endless' } },
  {
    what: 'a manifest that is cut off',
    code: UNREACHABLE,
    where: manifest,
    action: { type: 'reset', after: 50 },
  },
  { what: 'a compressed manifest', code: /^ERR_/, where: manifest, action: { type: 'gzip' } },
  {
    what: 'a manifest that is not there',
    code: /^ERR_IMAGE_NOT_FOUND$/,
    where: manifest,
    action: { type: 'status', status: 404 },
  },
  { what: 'a registry that is down', code: DOWN, where: manifest, action: { type: 'status', status: 503 } },
  {
    what: 'a registry with too many users',
    code: /^ERR_REGISTRY_RATE_LIMIT$/,
    where: manifest,
    action: { type: 'status', status: 429 },
  },
  {
    what: 'a registry that lets nobody in',
    code: REFUSED,
    where: manifest,
    action: { type: 'unauthorized' },
    options: withTokens,
  },
  {
    what: 'a token service that refuses',
    code: REFUSED,
    where: token,
    action: { type: 'status', status: 401 },
    options: withTokens,
  },
  {
    what: 'a token service that is down',
    code: /^ERR_REGISTRY_/,
    where: token,
    action: { type: 'status', status: 500 },
    options: withTokens,
  },
  {
    what: 'redirects in a circle',
    code: PROTOCOL,
    where: manifest,
    action: { type: 'redirect', location: '/v2/app/manifests/1' },
  },
  {
    what: 'a redirect to a file',
    code: PROTOCOL,
    where: blob,
    action: { type: 'redirect', location: 'file:///etc/passwd' },
  },
  {
    what: 'a redirect to where nothing listens',
    code: FAILED,
    where: blob,
    action: { type: 'redirect', location: 'http://127.0.0.1:1/' },
    bound: 60,
  },
  {
    what: 'a configuration with a wrong byte',
    code: DIGEST,
    where: configuration,
    action: { type: 'corrupt', at: 10 },
  },
  { what: 'a configuration without end', code: /^ERR_/, where: configuration, action: { type: 'endless' } },
  { what: 'a layer with a wrong byte', code: DIGEST, where: blob, action: { type: 'corrupt', at: 350_000 } },
  {
    what: 'a layer with a wrong last byte',
    code: DIGEST,
    where: blob,
    action: { type: 'corrupt', at: top!.size - 1 },
  },
  { what: 'a layer without end', code: TOO_LONG, where: blob, action: { type: 'endless' } },
  {
    what: 'a layer that says it is longer',
    code: TOO_LONG,
    where: blob,
    action: { type: 'lying-length', contentLength: top!.size + 7 },
  },
  {
    what: 'a layer that never comes whole',
    code: FAILED,
    where: blob,
    action: { type: 'short', bytes: 0 },
    bound: 60,
  },
  { what: 'a layer that was compressed again', code: PROTOCOL, where: blob, action: { type: 'gzip' } },
  {
    what: 'a layer that is not there',
    code: /^ERR_IMAGE_(BLOB_MISSING|NOT_FOUND|BLOB_UNKNOWN)$/,
    where: blob,
    action: { type: 'status', status: 404 },
  },
  {
    what: 'a layer whose connection always breaks',
    code: FAILED,
    where: blob,
    action: { type: 'reset', after: 0 },
    bound: 60,
  },
  {
    what: 'another part of the layer',
    code: PROTOCOL,
    where: blob,
    action: { type: 'wrong-range', shift: 3 },
  },
  {
    what: 'a registry that never answers',
    code: /^ERR_REGISTRY_TIMEOUT$/,
    where: manifest,
    action: { type: 'hang-before-headers' },
    bound: 45,
  },
  {
    what: 'a manifest that stops arriving',
    code: /^ERR_REGISTRY_TIMEOUT$/,
    where: manifest,
    action: { type: 'hang', after: 20 },
    bound: 45,
  },
  // And what a pull gets over.
  {
    what: 'a layer that stops arriving once',
    where: blob,
    action: { type: 'hang', after: 200_000 },
    times: 1,
    bound: 60,
  },
  {
    what: 'a layer that says it is shorter once',
    where: blob,
    action: { type: 'lying-length', contentLength: 1000 },
    times: 1,
  },
  { what: 'ranges that are ignored', where: blob, action: { type: 'ignore-range' } },
  { what: 'connections that break after a while', where: blob, action: { type: 'reset', after: 150_000 } },
  { what: 'a layer in two halves', where: blob, action: { type: 'short', bytes: 400_000 }, times: 1 },
  { what: 'a slow registry', where: blob, action: { type: 'slow', bytesPerSecond: 400_000 } },
  { what: 'late answers', where: manifest, action: { type: 'delay', milliseconds: 1500 } },
  { what: 'layers that lie elsewhere', where: blob, action: { type: 'redirect' } },
  {
    what: 'unusual headers',
    where: blob,
    action: { type: 'headers', headers: { 'content-type': 'text/html', 'accept-ranges': 'none' } },
  },
];

describe('a registry that misbehaves', () => {
  const folder = temporaryFolder();

  /** The pull of one case, and the good one after it. */
  async function play({ what, code, where, action, times, bound = 20, options }: Case): Promise<void> {
    const registry = await startFaultyRegistry(options ?? {});
    const data = folder.join(what.replaceAll(' ', '-'));
    try {
      registry.add(image, 'app', '1');
      registry.fault({ match: where, action, times: times ?? Number.POSITIVE_INFINITY });
      // A cut off answer has to be asked for from its middle, or there is no range to get wrong.
      if (action.type === 'wrong-range' || action.type === 'ignore-range') {
        registry.clearFaults();
        registry.fault({ match: where, action: { type: 'reset', after: 300_000 } });
        registry.fault({ match: where, action, times: Number.POSITIVE_INFINITY });
      }
      const started = performance.now();
      const { status, stdout, stderr } = await garua(data, 'pull', `${registry.host}/app:1`, '--json');
      const seconds = (performance.now() - started) / 1000;
      assert.ok(seconds < bound, `took ${seconds} s, which is more than ${bound}`);
      if (code) {
        assert.equal(status, 1, stderr);
        assert.equal(stdout, '');
        const [, said, message] = /^error (\w+): (.+)\nhint: .+\n$/s.exec(stderr) ?? [];
        assert.match(said ?? '', code, stderr);
        assert.doesNotMatch(message!, /undefined|\[object/);
        assert.deepEqual(await garuaJson<unknown[]>(data, 'images'), []);
        // Only the layer below the one that failed may be here, and bytes to resume from.
        assert.ok(finishedLayers(data).every((chainId) => chainId === image.config.rootfs.diff_ids[0]));
        assert.deepEqual(
          halfDone(data).filter((name) => !name.startsWith('blobs/')),
          [],
        );
      } else {
        assert.equal(status, 0, stderr);
      }
      registry.clearFaults();
      const good = await garuaJson<PullResult>(data, 'pull', `${registry.host}/app:1`);
      assert.equal(good.digest, image.digest);
      assert.deepEqual([halfDone(data), namesIn(join(data, 'blobs'))], [[], []]);
    } finally {
      await registry.stop();
    }
  }

  /** Cases that only wait, all at the same time. */
  const waiting = CASES.filter(({ bound = 0 }) => bound > 40);
  it(`${waiting.map(({ what }) => what).join(', ')}: does not hold a pull up for ever`, () =>
    Promise.all(waiting.map(play)));

  for (const each of CASES) {
    if (waiting.includes(each)) continue;
    it(`${each.what}: ${each.code ? 'fails the pull with a code' : 'is got over'}`, () => play(each));
  }
});
