import { GaruaError } from '../../../base';

/** The program does not finish what it was given. */
export class ProgramBusyError extends GaruaError {
  constructor(container: string, waiting: number) {
    super(
      'ERR_OPERATOR_PROGRAM_BUSY',
      `the program of container ${container} has not taken or answered ${waiting} messages in time`,
      'Look at what it says (garua logs), and whether it reads its input to the end. The move is tried again.',
    );
  }
}

/** A container was asked for that is not here, or is at work. */
export class OperatorContainerBusyError extends GaruaError {
  constructor(container: string) {
    super(
      'ERR_OPERATOR_CONTAINER_BUSY',
      `the container ${container} is at work for an operator here`,
      'Its owner asks for it when the operator has stopped.',
    );
  }
}

/** A container could not be brought over; it goes on where it was. */
export class OperatorContainerStayedError extends GaruaError {
  constructor(container: string, why: string) {
    super(
      'ERR_OPERATOR_CONTAINER_STAYED',
      `the container ${container} stayed where it was: ${why}`,
      'Remove what stands in the way; the move is tried again when it still pays.',
    );
  }
}
