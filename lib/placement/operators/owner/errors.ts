import { GaruaError } from '../../../base';

/** This host owns no such operator. */
export class OperatorUnknownError extends GaruaError {
  constructor(flow: string, operator: string) {
    super(
      'ERR_OPERATOR_UNKNOWN',
      `this host owns no operator ${operator} of a flow ${flow}`,
      'garua operators lists those it owns; ask the host where the flow lives.',
    );
  }
}

/** Somebody else keeps the flow: two would each undo what the other places. */
export class FlowTakenError extends GaruaError {
  constructor(flow: string) {
    super(
      'ERR_OPERATOR_FLOW_TAKEN',
      `another Node-RED keeps the flow ${flow} placed`,
      'Give each Node-RED on this machine a user directory of its own, and one fog-host for all place-operators.',
    );
  }
}

/** Something is wrong in the container of an operator, which goes on or is started again. */
export class ProgramError extends GaruaError {
  constructor(problem: string) {
    super(
      'ERR_OPERATOR_PROGRAM',
      problem,
      'garua ps and garua logs, at the host where it runs, say what its program has done.',
    );
  }
}

/** The operator cannot go there, or does not run now. */
export class OperatorMoveError extends GaruaError {
  constructor(message: string, hint = 'garua operators says where it runs, and why.') {
    super('ERR_OPERATOR_MOVE', message, hint);
  }
}

/** Whether the target has taken over is not known: both go on waiting until it can be asked. */
export class MoveInDoubtError extends GaruaError {
  constructor(host: string, options?: ErrorOptions) {
    super(
      'ERR_OPERATOR_MOVE_IN_DOUBT',
      `whether ${host} has taken the operator over is not known`,
      'It goes on as soon as that host can be asked; what comes meanwhile waits.',
      options,
    );
  }
}
