import { InvalidArgumentError } from '../../../lib/base';
import { listOf, numberOf } from './values';

/** How many instances there are to be, and where. */
export interface Scale {
  replicas: number;
  /** Default: all sites of the fog. */
  sites: string[] | undefined;
}

/** undefined where nothing is said: then there is the one container of the host. @throws {InvalidArgumentError} */
export function scaleOf(
  replicas: unknown,
  sites: string | undefined,
  service: string | undefined,
): Scale | undefined {
  const number = numberOf('the number of instances', replicas);
  if (number === undefined) return undefined;
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new InvalidArgumentError(`${number} is not a number of instances`, 'Give a whole number from 1.');
  }
  if (service === undefined) {
    throw new InvalidArgumentError('instances need a service', 'Give the service a name in the dialog.');
  }
  return { replicas: number, sites: listOf(sites) };
}
