import assert from 'node:assert/strict';
import { DataDirectory, openDatabase } from '../../../lib/base';
import { type CallHandler, UnreachableError } from '../../../lib/mesh';
import { requestToJoin } from '../../../lib/mesh/membership/admission';
import { Counting } from '../../../lib/mesh/membership/counting';
import { Ledger } from '../../../lib/mesh/membership/ledger';
import { Identity, makeInvite } from '../../../lib/mesh/membership/membership';
import { temporaryFolder } from '../../support/temporary';

const HERE = { name: 'here', site: 'north' };
const NEVER = new AbortController().signal;

/** A member, and the ways between members as the test draws them. */
interface Member {
  identity: Identity;
  ledger: Ledger;
  counting: Counting;
  calls: Map<string, CallHandler>;
}

describe('counting the uses of an invite', () => {
  const folder = temporaryFolder();
  const members = new Map<string, Member>();
  let sees: (one: string, other: string) => boolean;
  let issuer: Member;
  let others: Member[];

  const identityOf = (name: string) => Identity.load(new DataDirectory(folder.join(name)));

  function member(identity: Identity, ledger: Ledger): Member {
    const calls = new Map<string, CallHandler>();
    const peers = () =>
      [...members.keys()].filter((peerId) => peerId !== identity.peerId && sees(identity.peerId, peerId));
    const call = async (peerId: string, name: string, argument?: unknown) => {
      if (!peers().includes(peerId)) throw new UnreachableError(peerId);
      const handler = members.get(peerId)!.calls.get(name)!;
      return (await handler(argument as never, { peerId: identity.peerId, signal: NEVER })) as never;
    };
    const serve = (name: string, handler: CallHandler) => {
      calls.set(name, handler);
      return () => calls.delete(name);
    };
    // Each knows only what it counted itself: the ledgers tell each other nothing here.
    const counting = new Counting({ caller: { call, serve }, identity, ledger, peers, onCounted: () => {} });
    const all = { identity, ledger, counting, calls };
    members.set(identity.peerId, all);
    return all;
  }

  before(async () => {
    const founder = await identityOf('founder');
    const { fogKey, proof } = await founder.createFog('city', HERE);
    const newLedger = (name: string) => {
      const ledger = new Ledger(openDatabase(folder.join(`${name}.db`)), Buffer.from(fogKey, 'base64url'));
      ledger.admit(proof);
      return ledger;
    };
    sees = () => true;
    issuer = member(founder, newLedger('founder'));
    others = [];
    for (const name of ['one', 'two', 'three']) {
      const identity = await identityOf(name);
      const certificates = await letIn(issuer, identity, await invite(1));
      for (const { ledger } of members.values()) ledger.admit(certificates);
      const ledger = newLedger(name);
      ledger.admit(issuer.ledger.compare({}).lacking);
      others.push(member(identity, ledger));
    }
    others.sort((one, other) => (one.identity.peerId < other.identity.peerId ? -1 : 1));
    // Each knows of all the others.
    for (const { ledger } of members.values()) ledger.admit(issuer.ledger.compare({}).lacking);
  });

  async function invite(uses: number) {
    const fog = { name: 'fog', addresses: ['/ip4/1.2.3.4/tcp/1'] };
    const made = makeInvite(issuer.identity, issuer.ledger, fog, { uses });
    issuer.ledger.admit([made.grant]);
    return made.invite;
  }

  const letIn = (at: Member, newcomer: Identity, line: Awaited<ReturnType<typeof invite>>) =>
    at.counting.letIn(newcomer.peerId, requestToJoin(line, newcomer, HERE), NEVER);

  const usedUp = { code: 'ERR_MESH_INVITE_USED_UP' };

  it('is the issuer’s also where it is reached only by way of another', async () => {
    const [first, second, third] = others as [Member, Member, Member];
    const away = new Set([first, second].map(({ identity }) => identity.peerId));
    const founder = issuer.identity.peerId;
    sees = (one, other) => !(away.has(one) && other === founder) && !(away.has(other) && one === founder);
    const line = await invite(1);
    await letIn(first, await identityOf('a1'), line);
    assert.equal(issuer.ledger.usesOf(line.grant().key), 1);
    await assert.rejects(letIn(second, await identityOf('a2'), line), usedUp);
    await assert.rejects(letIn(third, await identityOf('a3'), line), usedUp);
    // The same newcomer at another door is no second use.
    await letIn(third, await identityOf('a1'), line);
  });

  it('is one member’s for all who see each other while nobody reaches the issuer', async () => {
    const founder = issuer.identity.peerId;
    sees = (one, other) => one !== founder && other !== founder;
    const line = await invite(2);
    const newcomers = await Promise.all(['b1', 'b2', 'b3'].map(identityOf));
    const answers = await Promise.allSettled(
      others.map((each, index) => letIn(each, newcomers[index]!, line)),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), ['fulfilled', 'fulfilled', 'rejected']);
  });

  it('is each part’s own where the fog is cut in parts', async () => {
    const [first] = others as [Member];
    const alone = first.identity.peerId;
    sees = (one, other) => one !== alone && other !== alone;
    const line = await invite(1);
    await letIn(first, await identityOf('c1'), line);
    await letIn(issuer, await identityOf('c2'), line);
    await assert.rejects(letIn(first, await identityOf('c3'), line), usedUp);
  });
});
