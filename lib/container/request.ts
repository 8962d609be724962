import * as http from 'node:http';
import { InvalidArgumentError } from '../base';
import { probeTarget, type Reachable } from './probe/target';
import { withHost } from './spec/lifecycle';

/** A question to a program in a container. */
export interface ContainerRequest {
  /** Such as `http://:8080/state`; the host is the container itself. */
  url: string;
  method: 'GET' | 'POST';
  body?: Uint8Array | undefined;
  signal: AbortSignal;
  /** Most bytes of the answer that are wanted; the rest is not waited for. */
  most: number;
}

export interface ContainerAnswer {
  status: number;
  /** One byte more than `most` where there is more. */
  body: Buffer;
}

/**
 * Asks a program in the container by HTTP.
 *
 * @throws {InvalidArgumentError} for a URL that leads elsewhere, and the system's error when nobody answers
 */
export function requestContainer(container: Reachable, request: ContainerRequest): Promise<ContainerAnswer> {
  const { url, method, body, signal, most } = request;
  const { hostname, host: name, port, protocol, pathname, search } = parse(url);
  const target = probeTarget(hostname, Number(port) || 80, container);
  if (protocol !== 'http:' || !target.itself || container.network === 'none') {
    throw new InvalidArgumentError(`${url} does not lead to the container`, 'Write http://:PORT/PATH.');
  }
  const headers = {
    host: name,
    connection: 'close',
    ...(body && { 'content-type': 'application/octet-stream' }),
  };
  const options = {
    host: target.host,
    port: target.port,
    path: `${pathname}${search}`,
    method,
    headers,
    signal,
  };
  return new Promise((resolve, reject) => {
    const asking = http.request({ ...options, agent: false });
    asking.once('error', reject);
    asking.once('response', (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      const finish = () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).subarray(0, most + 1) });
      response.on('data', (part: Buffer) => {
        parts.push(part);
        size += part.length;
        if (size <= most) return;
        finish();
        asking.destroy();
      });
      response.once('end', finish).once('error', reject);
      response.once('aborted', () => reject(new Error('the answer broke off')));
    });
    asking.end(body);
  });
}

function parse(url: string): URL {
  const parsed = URL.parse(withHost(url));
  if (!parsed) throw new InvalidArgumentError(`${url} is no URL`, 'Write http://:PORT/PATH.');
  return parsed;
}
