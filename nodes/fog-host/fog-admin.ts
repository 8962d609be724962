import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import type { LongCall } from '../../lib/base';
import type { Host, SiteStatus } from '../../lib/host';
import type { FogInfo } from '../../lib/mesh';
import { answer, patienceOf, withHost } from './asking';
import { inTime } from './in-time';
import { FogHostMissingError } from './use-host';

/** Milliseconds for what the dialog waits for; a newcomer may have to try several addresses. */
const LOOK_PATIENCE = 10_000;
const CHANGE_PATIENCE = 60_000;
const HOUR = 3_600_000;

/** What the dialog shows of the fog. */
export interface FogDocument {
  /** null while the host belongs to none. */
  fog: FogInfo | null;
  /** Without revoked hosts. */
  sites: SiteStatus[];
  /** There is no host to ask yet. */
  undeployed?: true;
}

/** What comes in the body of a question: invites are secrets and stay out of addresses, logs and flows. */
interface Wish {
  /** Of a new fog. */
  name?: string;
  /** A line to join by. */
  invite?: string;
  uses?: number;
  hours?: number;
  admin?: boolean;
}

/** Puts the fog behind the editor's own rights: seeing it, and changing it. */
export function serveFog(RED: NodeAPI): void {
  const may = (right: string) => RED.auth.needsPermission(right);
  const path = '/garua/host/:id/fog';
  RED.httpAdmin.get(path, may('fog.read'), (request, response) =>
    answer(response, 'the look at the fog', () =>
      withHost(RED, request, async (lease): Promise<FogDocument> => {
        if (!lease) return { fog: null, sites: [], undeployed: true };
        const signal = patienceOf(response, LOOK_PATIENCE);
        return inTime(lease.host().then(fogOf), signal);
      }),
    ),
  );

  /** The host does it within the patience of whoever asked; there must be one. */
  const act =
    (what: string, work: (host: Host, wish: Wish, options: LongCall) => Promise<object>) =>
    (request: Request, response: Response) => {
      response.setHeader('Cache-Control', 'no-store');
      return answer(response, what, () =>
        withHost(RED, request, async (lease) => {
          if (!lease) throw new FogHostMissingError(request.params.id as string);
          const signal = patienceOf(response, CHANGE_PATIENCE);
          const wish: Wish = request.body ?? {};
          return inTime(
            lease.host().then((host) => work(host, wish, { signal })),
            signal,
          );
        }),
      );
    };

  RED.httpAdmin.post(`${path}/create`, may('fog.write'), act('making a fog', create));
  RED.httpAdmin.post(`${path}/join`, may('fog.write'), act('joining the fog', join));
  RED.httpAdmin.post(`${path}/invite`, may('fog.write'), act('making an invite', invite));
}

async function create(host: Host, { name }: Wish): Promise<FogDocument> {
  await host.fogCreate({ name: text(name) || undefined });
  return fogOf(host);
}

async function join(host: Host, wish: Wish, options: LongCall): Promise<FogDocument> {
  await host.fogJoin(text(wish.invite), options);
  return fogOf(host);
}

async function invite(host: Host, { uses, hours, admin }: Wish): Promise<{ invite: string }> {
  const validMs = hours === undefined ? undefined : hours * HOUR;
  return { invite: await host.fogInvite({ uses, validMs, admin: admin === true }) };
}

async function fogOf(host: Host): Promise<FogDocument> {
  const fog = (await host.fog()) ?? null;
  return { fog, sites: fog ? await host.sites() : [] };
}

const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
