import { GaruaError } from '../../base';

export interface RegistryErrorOptions extends ErrorOptions {
  /** Whether the same request may succeed later. */
  temporary?: boolean;
  /** How long the registry asks to wait. */
  retryAfterMs?: number | undefined;
  /** The HTTP status of the answer, if there was one. */
  status?: number | undefined;
  /** What answered speaks something else than was spoken to it: http for https, or the reverse. */
  wrongScheme?: boolean;
}

/** A request to a registry failed. */
export class RegistryError extends GaruaError {
  readonly temporary: boolean;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  readonly wrongScheme: boolean;

  constructor(code: string, message: string, hint: string, options: RegistryErrorOptions = {}) {
    super(code, message, hint, options);
    this.temporary = options.temporary ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.status = options.status;
    this.wrongScheme = options.wrongScheme ?? false;
  }
}

/** No connection, or one that was lost. */
export class RegistryUnreachableError extends RegistryError {
  constructor(
    message: string,
    hint = 'Check the network and the name of the registry, then try again.',
    options: RegistryErrorOptions = {},
  ) {
    super('ERR_REGISTRY_UNREACHABLE', message, hint, { temporary: true, ...options });
  }
}

/** Nothing came for too long. */
export class RegistryTimeoutError extends RegistryError {
  constructor(message: string, options: RegistryErrorOptions = {}) {
    const hint = 'The registry or the network is overloaded or down; try again later.';
    super('ERR_REGISTRY_TIMEOUT', message, hint, { temporary: true, ...options });
  }
}

/** The registry, or its token service, wants other credentials. */
export class RegistryUnauthorizedError extends RegistryError {
  constructor(message: string, hint: string, options: RegistryErrorOptions = {}) {
    super('ERR_REGISTRY_UNAUTHORIZED', message, hint, options);
  }
}

/** 429: too many requests from here. */
export class RegistryRateLimitError extends RegistryError {
  constructor(message: string, options: RegistryErrorOptions = {}) {
    const hint = 'Wait, or log in to the registry, which raises its limit; a mirror avoids it.';
    super('ERR_REGISTRY_RATE_LIMIT', message, hint, { temporary: true, ...options });
  }
}

/** 5xx: the registry itself is in trouble. */
export class RegistryUnavailableError extends RegistryError {
  constructor(message: string, options: RegistryErrorOptions = {}) {
    super('ERR_REGISTRY_UNAVAILABLE', message, 'Try again later.', { temporary: true, ...options });
  }
}

/** An answer that no registry may give. */
export class RegistryProtocolError extends RegistryError {
  constructor(
    message: string,
    hint = 'Check that this host is a container registry, and that no proxy changes its answers.',
    options: RegistryErrorOptions = {},
  ) {
    super('ERR_REGISTRY_PROTOCOL', message, hint, options);
  }
}

/** A whole answer, but not the whole blob. */
export class BlobTooShortError extends RegistryError {
  constructor(what: string, received: number, expected: number) {
    super(
      'ERR_IMAGE_BLOB_TOO_SHORT',
      `${what} ended after ${received} of ${expected} bytes`,
      'Try again; if it stays so, the blob in the registry is damaged.',
      { temporary: true },
    );
  }
}

/** A file with credentials or registry settings that cannot be used. */
export class RegistryConfigurationError extends GaruaError {
  constructor(message: string, hint: string, options?: ErrorOptions) {
    super('ERR_REGISTRY_CONFIGURATION', message, hint, options);
  }
}
