import { GaruaError } from '../../../base';

/** The flow file holds no such subflow. */
export class SubflowUnknownError extends GaruaError {
  constructor(id: string) {
    super(
      'ERR_SUBFLOW_UNKNOWN',
      `the flow file holds no subflow ${id}`,
      'Choose a subflow of this flow file, and deploy.',
    );
  }
}

/** A subflow that would behave differently somewhere else. */
export class SubflowUnsupportedError extends GaruaError {
  constructor(message: string, hint: string) {
    super('ERR_SUBFLOW_UNSUPPORTED', message, hint);
  }
}
