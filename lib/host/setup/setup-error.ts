import { GaruaError } from '../../base';

/** Setting up this machine failed. The codes all start with `ERR_SETUP_`. */
export class SetupError extends GaruaError {
  constructor(
    code:
      | 'ERR_SETUP_NO_APT'
      | 'ERR_SETUP_NO_MIRROR'
      | 'ERR_SETUP_NOT_ROOT'
      | 'ERR_SETUP_LOCKED'
      | 'ERR_SETUP_NETWORK'
      | 'ERR_SETUP_PACKAGE_UNKNOWN'
      | 'ERR_SETUP_INSTALL_FAILED',
    message: string,
    hint: string,
    options?: ErrorOptions,
  ) {
    super(code, message, hint, options);
  }
}
