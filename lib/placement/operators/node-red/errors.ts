import { GaruaError } from '../../../base';

/** A request to the Admin API of a Node-RED failed. */
export class NodeRedError extends GaruaError {
  constructor(
    code: string,
    message: string,
    hint: string,
    /** Whether the same request may succeed later. */
    readonly temporary: boolean,
    options?: ErrorOptions,
  ) {
    super(code, message, hint, options);
  }
}

/** Nothing answers at the address, or what answers is no Node-RED. */
export class NodeRedUnreachableError extends NodeRedError {
  constructor(message: string, options?: ErrorOptions) {
    const hint = 'Check that Node-RED runs, and its address (garua host --node-red URL).';
    super('ERR_NODE_RED_UNREACHABLE', message, hint, true, options);
  }
}

/** The answer took too long; whether the request was carried out is not known. */
export class NodeRedTimeoutError extends NodeRedError {
  constructor(message: string, options?: ErrorOptions) {
    super(
      'ERR_NODE_RED_TIMEOUT',
      message,
      'That Node-RED is overloaded or stuck; try again later.',
      true,
      options,
    );
  }
}

/** The Admin API wants a token, or a token with more rights. */
export class NodeRedUnauthorizedError extends NodeRedError {
  constructor(message: string) {
    const hint = 'Give this host an access token with the permission "flows.write" of that Node-RED.';
    super('ERR_NODE_RED_UNAUTHORIZED', message, hint, false);
  }
}

/** Node-RED does not take the request. */
export class NodeRedRefusedError extends NodeRedError {
  constructor(message: string) {
    super('ERR_NODE_RED_REFUSED', message, 'See the log of that Node-RED.', false);
  }
}

/** The flow was not sent: Node-RED would take nodes of unknown types, and then start none of its flows. */
export class NodeRedTypesMissingError extends NodeRedError {
  constructor(
    where: string,
    readonly types: readonly string[],
  ) {
    super(
      'ERR_NODE_RED_TYPES_MISSING',
      `the Node-RED at ${where} lacks the node types ${types.join(', ')}`,
      'Install the packages that hold them there, or keep the operator away from that site.',
      false,
    );
  }
}
