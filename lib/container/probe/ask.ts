import { GaruaError } from '../../base';
import type { CompleteProbe } from '../spec/lifecycle';
import { type Answer, cannotAsk, failure } from './answer';
import { askByExec, type ExecPlace } from './exec';
import { askByHttp } from './http';
import type { Reachable } from './target';
import { askByTcp } from './tcp';

/** A running container, as a probe sees it. */
export interface Subject extends Reachable, ExecPlace {}

/** Puts a probe's question once. Never rejects: what prevents the question is an answer of its own. */
export async function ask(probe: CompleteProbe, subject: Subject, signal: AbortSignal): Promise<Answer> {
  const { http, tcp, exec, timeoutMs } = probe;
  try {
    if (http !== undefined) return await askByHttp(http, subject, timeoutMs, signal);
    if (tcp !== undefined) return await askByTcp(tcp, subject, timeoutMs, signal);
    return await askByExec(exec ?? [], subject, timeoutMs, signal);
  } catch (error) {
    const { message } = error as Error;
    return error instanceof GaruaError ? cannotAsk(message) : failure(message);
  }
}
