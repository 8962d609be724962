import { RegistryError, RegistryProtocolError, RegistryUnreachableError } from './errors';

const CERTIFICATE = /CERT|^UNABLE_TO_/;
const PLAIN_WORDS: Partial<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name could not be looked up',
  ENETUNREACH: 'there is no route to it',
  EHOSTUNREACH: 'there is no route to it',
  ETIMEDOUT: 'the connection timed out',
};

/** Says what a failed connection means and whether trying again makes sense. `where` is for the message. */
export function networkError(where: string, error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  // Trying several addresses of a host gives one error with all of theirs.
  const first = (error as AggregateError)?.errors?.[0] ?? error;
  const { code = '', message = String(error) } = (first ?? {}) as NodeJS.ErrnoException;
  if (CERTIFICATE.test(code)) {
    return new RegistryUnreachableError(
      `the certificate of ${where} cannot be trusted (${code})`,
      'Name its authority in NODE_EXTRA_CA_CERTS, or allow this registry as insecure if you trust the network.',
      { cause: error, temporary: false },
    );
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return new RegistryUnreachableError(
      `${where} does not speak TLS`,
      'If it is a plain http registry in a network that you trust, allow it as insecure.',
      { cause: error, temporary: false, wrongScheme: true },
    );
  }
  if (code.startsWith('HPE_')) {
    return new RegistryProtocolError(`${where} does not speak HTTP (${message})`, undefined, {
      cause: error,
      wrongScheme: true,
    });
  }
  return new RegistryUnreachableError(
    `${where} cannot be reached: ${PLAIN_WORDS[code] ?? message}`,
    undefined,
    // "No such host" is a definite answer of the name service; being offline gives EAI_AGAIN.
    { cause: error, temporary: code !== 'ENOTFOUND' },
  );
}
