import type { CallContext, Mesh } from '../mesh';
import { checkRequest, countUse, type JoinRequest } from './admission';
import type { Ledger } from './ledger';
import type { Identity } from './membership';
import type { Signed } from './statements';

/** How long another host may take to count a use, in milliseconds. */
const PATIENCE = 2_000;
const CALL = 'mesh.count';

interface Question {
  request: JoinRequest;
  newcomer: string;
  /** Count in the issuer's place; else ask the issuer, if it can be reached from there. */
  deputy: boolean;
}

export interface CountingOptions {
  caller: Pick<Mesh, 'call' | 'serve'>;
  identity: Identity;
  ledger: Ledger;
  /** Peer IDs of the members connected now. */
  peers(): string[];
  onCounted(certificate: Signed): void;
}

/**
 * Sees to it that the uses of an invite are counted at one place, as far as hosts see each other: by its issuer,
 * reached directly or by way of another member, and while nobody reaches it by the member with the smallest peer ID.
 */
export class Counting {
  readonly #options: CountingOptions;

  constructor(options: CountingOptions) {
    this.#options = options;
    options.caller.serve(CALL, (question: Question, { signal }: CallContext) =>
      this.#answer(question, signal),
    );
  }

  /** Answers a newcomer with the proof of its membership. @throws what `countUse` throws */
  async letIn(newcomer: string, request: JoinRequest, signal: AbortSignal): Promise<Signed[]> {
    const { ledger, peers, onCounted } = this.#options;
    const { issuer } = ledger.get('invite', checkRequest(request, newcomer, ledger))!;
    const counted =
      (await this.#byIssuer(issuer, newcomer, request, signal)) ??
      (await this.#byDeputy([...peers(), this.#self].sort()[0]!, newcomer, request, signal));
    ledger.admit([counted]);
    onCounted(counted);
    return ledger.proofOf(newcomer);
  }

  get #self(): string {
    return this.#options.identity.peerId;
  }

  /** undefined when nobody reaches the issuer. */
  async #byIssuer(
    issuer: string,
    newcomer: string,
    request: JoinRequest,
    signal: AbortSignal,
  ): Promise<Signed | undefined> {
    if (issuer === this.#self) return this.#count(newcomer, request);
    const question = { request, newcomer, deputy: false };
    const peers = this.#options.peers();
    // All at once: the issuer counts a newcomer once, however often it is asked.
    const ways = peers.includes(issuer) ? [issuer] : peers;
    const answers = ways.map(async (peerId) => {
      const answer = await this.#ask(peerId, question, signal);
      if (!answer) throw undefined;
      return answer;
    });
    return Promise.any(answers).catch(({ errors }: AggregateError) => {
      const refusal = errors.find((error) => error !== undefined);
      if (refusal) throw refusal;
      return undefined;
    });
  }

  async #byDeputy(
    deputy: string,
    newcomer: string,
    request: JoinRequest,
    signal: AbortSignal,
  ): Promise<Signed> {
    const question = { request, newcomer, deputy: true };
    const answer = deputy === this.#self ? undefined : await this.#ask(deputy, question, signal);
    return answer ?? this.#count(newcomer, request);
  }

  async #answer({ request, newcomer, deputy }: Question, signal: AbortSignal): Promise<Signed | null> {
    const { issuer } = this.#options.ledger.get(
      'invite',
      checkRequest(request, newcomer, this.#options.ledger),
    )!;
    if (deputy || issuer === this.#self) return this.#count(newcomer, request);
    if (!this.#options.peers().includes(issuer)) return null;
    return (await this.#ask(issuer, { request, newcomer, deputy: false }, signal)) ?? null;
  }

  /** undefined when the host cannot be reached, or reaches the issuer no more than this one. */
  async #ask(peerId: string, question: Question, signal: AbortSignal): Promise<Signed | undefined> {
    try {
      const options = { signal, timeoutMs: PATIENCE };
      return (await this.#options.caller.call<Signed | null>(peerId, CALL, question, options)) ?? undefined;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'ERR_MESH_UNREACHABLE' || code === 'ERR_MESH_TIMEOUT') return undefined;
      throw error;
    }
  }

  #count(newcomer: string, request: JoinRequest): Signed {
    const { identity, ledger, onCounted } = this.#options;
    const counted = countUse(request, newcomer, identity, ledger);
    onCounted(counted);
    return counted;
  }
}
