import type { CapabilityChanges, ContainerSpec, Device, PublishedPort } from '../container';
import { invalidField } from '../errors';
import { checkCapabilities, completeCapabilities } from './capabilities';
import { absolutePath, boolean, type FieldCheck, oneOf, text, textList, textRecord } from './checks';
import { checkDevices, completeDevices } from './devices';
import {
  checkEnvironment,
  checkExtraHosts,
  checkGatewayReach,
  checkGroups,
  checkHostname,
  checkName,
  checkService,
  checkUser,
  nameFromImage,
} from './identity';
import { type CompleteProbe, checkProbe, checkProbesReach, checkRestart, completeProbe } from './lifecycle';
import { checkCpus, checkIoWeight, checkLimitsTogether, checkMemory, checkPids, checkSwap } from './limits';
import { type CompleteMount, checkMounts, completeMounts } from './mounts';
import { checkPorts, completePorts, portNumber } from './ports';
import { checkServiceReach } from './service';

/** These have a value in every complete spec; the others may be absent, which is their default. */
type Filled = 'image' | 'name' | 'env' | 'network' | 'labels';

/** A spec without gaps: what was left out has its default. */
export interface CompleteSpec
  extends Required<Pick<ContainerSpec, Filled>>,
    Omit<ContainerSpec, Filled | 'mounts' | 'ports' | 'devices' | 'capabilities' | 'liveness' | 'readiness'> {
  mounts: CompleteMount[];
  ports: Required<PublishedPort>[];
  devices?: Required<Device>[];
  capabilities?: Required<CapabilityChanges>;
  liveness?: CompleteProbe;
  readiness?: CompleteProbe;
}

const CHECKS: Record<keyof ContainerSpec, FieldCheck> = {
  image: text,
  name: checkName,
  entrypoint: textList,
  command: textList,
  env: checkEnvironment,
  workingDirectory: absolutePath,
  user: checkUser,
  groups: checkGroups,
  hostname: checkHostname,
  extraHosts: checkExtraHosts,
  mounts: checkMounts,
  devices: checkDevices,
  readOnlyRoot: boolean,
  stdin: boolean,
  network: oneOf(['host', 'none', 'bridge']),
  ports: checkPorts,
  service: checkService,
  servicePort: portNumber,
  memory: checkMemory,
  swap: checkSwap,
  pids: checkPids,
  cpus: checkCpus,
  ioWeight: checkIoWeight,
  capabilities: checkCapabilities,
  privileged: boolean,
  restart: checkRestart,
  liveness: checkProbe,
  readiness: checkProbe,
  labels: textRecord,
};

/**
 * Checks a spec, which may come from JSON of unknown origin, and fills in the defaults.
 *
 * @throws {InvalidArgumentError} {ContainerNameInvalidError}, each naming the field
 */
export function completeSpec(spec: ContainerSpec): CompleteSpec {
  if (typeof spec !== 'object' || spec === null) throw invalidField('spec', 'is not an object');
  for (const [field, value] of Object.entries(spec)) {
    if (!Object.hasOwn(CHECKS, field)) throw invalidField(field, 'is not a field of a container');
    if (value !== undefined) CHECKS[field as keyof ContainerSpec](value, field);
  }
  if (spec.image === undefined) throw invalidField('image', 'is missing');
  checkLimitsTogether(spec);
  checkProbesReach(spec);
  checkGatewayReach(spec);
  checkServiceReach(spec);
  const { mounts = [], ports = [], devices, capabilities, liveness, readiness, ...rest } = spec;
  const { network = 'bridge' } = spec;
  return {
    ...rest,
    image: spec.image,
    name: spec.name ?? nameFromImage(spec.image),
    env: spec.env ?? {},
    network,
    labels: spec.labels ?? {},
    mounts: completeMounts(mounts),
    ports: completePorts(ports, network),
    ...(devices && devices.length > 0 ? { devices: completeDevices(devices) } : {}),
    ...(capabilities ? { capabilities: completeCapabilities(capabilities) } : {}),
    ...(liveness ? { liveness: completeProbe(liveness) } : {}),
    ...(readiness ? { readiness: completeProbe(readiness) } : {}),
  };
}
