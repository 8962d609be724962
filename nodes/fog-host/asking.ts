import { existsSync } from 'node:fs';
import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { DataDirectory, type GaruaError, toGaruaError } from '../../lib/base';
import { type HostLease, hostPool } from './host-pool';
import { defaultOptions, type FogHostNode } from './use-host';

/** What stands in a path for "no fog-host": the host that nodes without one use. */
const DEFAULT_ID = 'default';

/** Lends the host that a path of the editor names. One that is not there yet is not made by looking: no lease then. */
export async function withHost<T>(
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
export async function answer(response: Response, what: string, work: () => Promise<object>): Promise<void> {
  let document: object | { error: GaruaError };
  try {
    document = await work();
  } catch (error) {
    document = { error: toGaruaError(error, what).toJSON() };
  }
  if (!response.destroyed) response.json(document);
}

/** Fires when the browser does not wait any more, and at the latest after so many milliseconds. */
export function patienceOf(response: Response, milliseconds: number): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, AbortSignal.timeout(milliseconds)]);
}
