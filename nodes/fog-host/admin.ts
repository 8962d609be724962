import { existsSync } from 'node:fs';
import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { DataDirectory, type GaruaError, toGaruaError } from '../../lib/base';
import { findDevices, type HostDevice } from '../../lib/host';
import { describeImage, type ImageDescription } from '../../lib/image';
import { type HostLease, hostPool } from './host-pool';
import { hostStatus } from './host-status';
import { inTime } from './in-time';
import { passwordsFor, registryAccess, type UnsavedRegistries } from './registries';
import { defaultOptions, type FogHostNode } from './use-host';

/** What stands in a path for "no fog-host": the host that nodes without one use. */
const DEFAULT_ID = 'default';
/** Milliseconds for what the dialog waits for. */
const DEVICES_PATIENCE = 10_000;
const RESOLVE_PATIENCE = 30_000;

/** The body of a question about an image. Passwords come in it, and stay out of addresses and logs. */
interface ResolveQuestion {
  image?: string;
  /** The fog-host as it stands in the editor, when that is not deployed. */
  unsaved?: UnsavedRegistries;
}

/** Puts what the dialogs ask behind the editor's own rights. */
export function serveDialogs(RED: NodeAPI): void {
  const may = (right: string) => RED.auth.needsPermission(right);
  RED.httpAdmin.get('/garua/host/:id/status', may('fog.read'), async (request, response) => {
    await withHost(RED, request, async (lease) => response.json(await hostStatus(lease)));
  });
  RED.httpAdmin.get('/garua/host/:id/devices', may('fog.read'), (request, response) =>
    answer(response, 'the list of devices', () => withHost(RED, request, devicesOf)),
  );
  // It reaches out into the network with credentials: not for those who may only look.
  RED.httpAdmin.post('/garua/host/:id/resolve', may('fog.write'), (request, response) =>
    answer(response, 'the look at the image', () => {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(RESOLVE_PATIENCE)]);
      return withHost(RED, request, (lease, node) => resolve(request.body ?? {}, lease, node, signal));
    }),
  );
}

async function devicesOf(lease: HostLease | undefined): Promise<{ devices: HostDevice[] }> {
  const signal = AbortSignal.timeout(DEVICES_PATIENCE);
  const ask = async () => (lease ? (await lease.host()).devices() : findDevices());
  return { devices: await inTime(ask(), signal) };
}

async function resolve(
  { image, unsaved }: ResolveQuestion,
  lease: HostLease | undefined,
  node: FogHostNode | null,
  signal: AbortSignal,
): Promise<ImageDescription> {
  const ref = String(image ?? '').trim();
  const deployed = { rows: node?.registries ?? [], passwords: node?.credentials ?? {} };
  const rows = unsaved?.rows ?? deployed.rows;
  const passwords = unsaved ? passwordsFor(unsaved, deployed) : deployed.passwords;
  const options = { ...registryAccess(rows, passwords, ref), signal };
  const ask = async () =>
    lease ? (await lease.host()).resolveImage(ref, options) : describeImage(ref, options);
  return inTime(ask(), signal);
}

/** A host that is not there yet is not made by looking: then there is no lease. */
async function withHost<T>(
  RED: NodeAPI,
  request: Request,
  work: (lease: HostLease | undefined, node: FogHostNode | null) => Promise<T>,
): Promise<T> {
  const id = request.params.id as string;
  const node = id === DEFAULT_ID ? null : (RED.nodes.getNode(id) as FogHostNode | null);
  const options = id === DEFAULT_ID ? defaultOptions(RED) : node?.options;
  const there =
    options && (node || options.socket || existsSync(new DataDirectory(options.dataDirectory).path));
  const lease = there ? hostPool.acquire(options) : undefined;
  try {
    return await work(lease, node);
  } finally {
    await lease?.release();
  }
}

/** What went wrong is an answer too: the dialog shows it at the field. */
async function answer(response: Response, what: string, work: () => Promise<object>): Promise<void> {
  let document: object | { error: GaruaError };
  try {
    document = await work();
  } catch (error) {
    document = { error: toGaruaError(error, what).toJSON() };
  }
  if (!response.destroyed) response.json(document);
}
