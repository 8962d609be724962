import { GaruaError } from '../../../base';

/** No node of the instance is connected to this host. */
export class PortUnknownError extends GaruaError {
  constructor(instance: string) {
    super(
      'ERR_OPERATOR_PORT_UNKNOWN',
      `no fog-port-in of the instance ${instance} is connected`,
      "Check that the instance's tab is deployed and enabled, and that its Node-RED may reach the socket of this host.",
    );
  }
}

/** The node of the instance went away before it had answered. */
export class PortGoneError extends GaruaError {
  constructor(instance: string) {
    super(
      'ERR_OPERATOR_PORT_GONE',
      `the fog-port-in of the instance ${instance} went away before it answered`,
      'Ask again when its Node-RED has started its flows.',
    );
  }
}
