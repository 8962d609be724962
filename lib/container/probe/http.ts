import * as http from 'node:http';
import * as https from 'node:https';
import { withHost } from '../spec/lifecycle';
import { type Answer, failure, SUCCESS } from './answer';
import { probeTarget, type Reachable } from './target';

/**
 * Whether a URL answers with a status from 200 to 399. The status is the answer: no body is read, and a redirect is
 * not followed. The certificate of the container itself is not checked, since it names another host.
 */
export function askByHttp(
  address: string,
  container: Reachable,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(withHost(address));
  const secure = url.protocol === 'https:';
  const { host, port, itself } = probeTarget(
    url.hostname,
    Number(url.port) || (secure ? 443 : 80),
    container,
  );
  const options: https.RequestOptions = {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port,
    path: `${url.pathname}${url.search}`,
    // One connection for one question: none is left open in the container.
    agent: false,
    headers: { host: url.host, 'user-agent': 'garua-probe', connection: 'close' },
    ...(url.username
      ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }
      : {}),
    ...(secure && itself ? { rejectUnauthorized: false } : {}),
  };
  const what = `GET ${url.pathname} on port ${port}`;
  return new Promise((resolve) => {
    const request = (secure ? https : http).request(options);
    const timer = setTimeout(
      () => finish(failure(`${what} brought no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const finish = (answer: Answer) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      request.destroy();
      resolve(answer);
    };
    const onAbort = () => finish(failure('cancelled'));
    signal.addEventListener('abort', onAbort, { once: true });
    request.once('response', ({ statusCode = 0 }) =>
      finish(
        statusCode >= 200 && statusCode < 400
          ? SUCCESS
          : failure(`${what} answered with status ${statusCode}`),
      ),
    );
    request.on('error', (error: NodeJS.ErrnoException) =>
      finish(failure(`${what} failed (${error.code ?? error.message})`)),
    );
    request.end();
  });
}
