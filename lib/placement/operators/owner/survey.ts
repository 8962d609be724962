import { type ErrorDocument, toGaruaError } from '../../../base';
import type { PlacedFlow, PlacedOperator } from '../flow';
import type { RuntimeReport } from '../runtime';
import type { FogView, ViewedHost } from './fog-view';

/** A host, and what it says; without a report it could not be asked. */
export interface SurveyedHost extends ViewedHost {
  report: RuntimeReport | undefined;
  error: ErrorDocument | undefined;
}

/** How long a host may take to say how it is, in ms. */
const LOOK_LIMIT = 8_000;

/** Asks all hosts that are up. */
export async function survey(view: FogView, flow: PlacedFlow, signal: AbortSignal): Promise<SurveyedHost[]> {
  const devices = [...new Set(flow.operators.flatMap(({ device }) => device ?? []))];
  const look = async (host: ViewedHost): Promise<SurveyedHost> => {
    if (!host.isUp) return { ...host, report: undefined, error: undefined };
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT)]);
      const report = await view.runtime(host.peerId).look(view.self.peerId, devices, limit);
      return { ...host, report, error: undefined };
    } catch (error) {
      return { ...host, report: undefined, error: toGaruaError(error, `asking ${host.name}`).toJSON() };
    }
  };
  return Promise.all(view.hosts().map(look));
}

/** Node types that every target needs beside the operator's own. */
const PORT_TYPES = ['fog-port-in', 'fog-port-out'];

/** Why an operator cannot run on a host; undefined when it can. */
export function obstacle(operator: PlacedOperator, host: SurveyedHost): ErrorDocument | undefined {
  const { allowed, pin, device, body } = operator;
  const { site, report, error, name } = host;
  if (error) return error;
  if (!report) return problem('ERR_MESH_UNREACHABLE', `${name} is away`, 'It is asked again.');
  if ((allowed && !allowed.includes(site)) || (pin !== undefined && pin !== site)) {
    return problem('ERR_PLACEMENT_INFEASIBLE', `it may not run at ${site}`, 'Allow that site.');
  }
  if (body.kind === 'subflow' && 'error' in report.nodeRed) return report.nodeRed.error;
  if (device !== undefined && !report.devices.includes(device)) {
    return problem('ERR_OPERATOR_DEVICE_MISSING', `${name} has no ${device}`, 'Choose other sites.');
  }
  if (body.kind !== 'subflow' || 'error' in report.nodeRed) return undefined;
  const known = new Set([...report.nodeRed.types, 'group', 'junction', 'tab']);
  const missing = [...body.types, ...PORT_TYPES].filter((type) => !known.has(type));
  if (missing.length === 0) return undefined;
  return problem(
    'ERR_NODE_RED_TYPES_MISSING',
    `the Node-RED of ${name} lacks the node types ${[...new Set(missing)].sort().join(', ')}`,
    'Install the packages that hold them there, or keep the operator away from that site.',
  );
}

/** The obstacle that says most: of the site that somebody chose, then of where the flow lives. */
export function mainObstacle(
  operator: PlacedOperator,
  hosts: SurveyedHost[],
  self: string,
): ErrorDocument | undefined {
  const rank = ({ site, peerId }: SurveyedHost) => {
    const isChosen = operator.pin === site || operator.allowed?.includes(site) === true;
    return isChosen ? 0 : peerId === self ? 1 : 2;
  };
  const sorted = hosts.toSorted((one, other) => rank(one) - rank(other));
  const chosen = operator.pin ?? operator.allowed?.join(', ');
  if (chosen !== undefined && sorted.every((host) => rank(host) > 0)) {
    const message = `the fog has no host at ${chosen}`;
    return problem('ERR_PLACEMENT_INFEASIBLE', message, 'garua sites lists the sites.');
  }
  return sorted.map((host) => obstacle(operator, host)).find((found) => found !== undefined);
}

const problem = (code: string, message: string, hint: string): ErrorDocument => ({ code, message, hint });
