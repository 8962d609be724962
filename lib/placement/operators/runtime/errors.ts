import { GaruaError } from '../../../base';

/** The host knows no Node-RED. */
export class NoNodeRedError extends GaruaError {
  constructor(host: string) {
    super(
      'ERR_OPERATOR_NO_NODE_RED',
      `the host ${host} knows no Node-RED that could run operators`,
      'Tell it the address of its Node-RED: garua host --node-red http://127.0.0.1:1880/',
    );
  }
}

/** The nodes of an instance do not speak to their host. */
export class InstanceSilentError extends GaruaError {
  constructor(instance: string, options?: ErrorOptions) {
    super(
      'ERR_OPERATOR_SILENT',
      `the nodes of the operator's instance ${instance} do not answer their host`,
      'Check that this Node-RED is on the same machine, may reach the socket of its host, and starts its flows.',
      options,
    );
  }
}

export class DeviceMissingError extends GaruaError {
  constructor(device: string, host: string) {
    super(
      'ERR_OPERATOR_DEVICE_MISSING',
      `the host ${host} has no ${device}`,
      'Keep the operator at sites that have it.',
    );
  }
}

/** The host runs no such instance for who asks. */
export class InstanceUnknownError extends GaruaError {
  constructor(instance: string, host: string) {
    super(
      'ERR_OPERATOR_INSTANCE_UNKNOWN',
      `the host ${host} runs no instance ${instance}`,
      'Its owner starts it again.',
    );
  }
}
