import type { NodeAPI } from 'node-red';
import { findDevices, type HostDevice } from '../../lib/host';
import { describeImage, type ImageDescription } from '../../lib/image';
import { answer, patienceOf, withHost } from './asking';
import { serveFog } from './fog-admin';
import type { HostLease } from './host-pool';
import { hostStatus } from './host-status';
import { inTime } from './in-time';
import { passwordsFor, registryAccess, type UnsavedRegistries } from './registries';
import type { FogHostNode } from './use-host';

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
  serveFog(RED);
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
      const signal = patienceOf(response, RESOLVE_PATIENCE);
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
