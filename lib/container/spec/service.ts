import type { ImageConfig } from '../../image/image';
import type { ContainerSpec, ContainerStatus } from '../container';
import { invalidField } from '../errors';
import type { CompleteSpec } from './complete';

/** What no field alone can tell. @throws {InvalidArgumentError} */
export function checkServiceReach({ service, servicePort, network }: ContainerSpec): void {
  if (servicePort === undefined) return;
  if (service === undefined) throw invalidField('servicePort', 'needs a service name');
  if (network === 'none') throw invalidField('servicePort', 'without a network there is no way to it');
}

/** What the hosts of the fog find the container by, if anything. */
export function serviceOf(spec: CompleteSpec, image: ImageConfig): ContainerStatus['service'] {
  const { service, servicePort, ports, network } = spec;
  if (service === undefined || network === 'none') return null;
  const published = ports.find(({ protocol }) => protocol === 'tcp')?.containerPort;
  const port = servicePort ?? published ?? lowestExposed(image);
  return port === undefined ? null : { name: service, port };
}

/** Keys such as `8080/tcp`, or `8080` alone. */
function lowestExposed({ config }: ImageConfig): number | undefined {
  const ports = Object.keys(config?.ExposedPorts ?? {}).flatMap((key) => {
    const number = /^(\d{1,5})(\/tcp)?$/.exec(key)?.[1];
    return number && Number(number) > 0 && Number(number) < 65_536 ? [Number(number)] : [];
  });
  return ports.length > 0 ? Math.min(...ports) : undefined;
}
