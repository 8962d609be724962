import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { DataDirectory, openDatabase } from '../../../lib/base';
import { countUse, type JoinRequest, requestToJoin } from '../../../lib/mesh/membership/admission';
import { Invite } from '../../../lib/mesh/membership/invite';
import { SigningKey } from '../../../lib/mesh/membership/keys';
import { CLOCK_SLACK, Ledger } from '../../../lib/mesh/membership/ledger';
import { Identity, makeInvite } from '../../../lib/mesh/membership/membership';
import { peerIdOf, publicKeyOf } from '../../../lib/mesh/membership/peer-id';
import { countersign, type Signed, signStatement } from '../../../lib/mesh/membership/statements';
import { loadLibraries } from '../../../lib/mesh/node/libraries';
import { temporaryFolder } from '../../support/temporary';

describe('the membership of a fog', () => {
  const folder = temporaryFolder();
  const HERE = { name: 'here', site: 'north' };
  let founder: Identity;
  let fogKey: Buffer;
  let founding: Signed[];

  const newIdentity = async (name: string) => {
    const directory = new DataDirectory(folder.join(name));
    return Identity.load(directory);
  };
  let ledgers = 0;
  const newLedger = (statements: Signed[] = founding) => {
    ledgers += 1;
    const ledger = new Ledger(openDatabase(folder.join(`ledger-${ledgers}.db`)), fogKey);
    ledger.admit(statements);
    return ledger;
  };
  const invite = (ledger: Ledger, issuer: Identity, options = {}) =>
    makeInvite(issuer, ledger, { name: 'fog', addresses: ['/ip4/1.2.3.4/tcp/1'] }, options);
  /** Lets a host in with an invite, on the issuer's ledger. */
  const letIn = (ledger: Ledger, issuer: Identity, newcomer: Identity, options = {}): JoinRequest => {
    const { invite: line, grant } = invite(ledger, issuer, options);
    ledger.admit([grant]);
    const request = requestToJoin(line, newcomer, HERE);
    countUse(request, newcomer.peerId, issuer, ledger);
    return request;
  };

  before(async () => {
    founder = await newIdentity('founder');
    const membership = await founder.createFog('city', HERE);
    fogKey = Buffer.from(membership.fogKey, 'base64url');
    founding = membership.proof;
  });

  it('names hosts as libp2p does', async () => {
    const { keyFromSeed, peerIdFromString } = await loadLibraries();
    for (let count = 0; count < 20; count += 1) {
      const key = new SigningKey();
      const peerId = peerIdOf(key.publicKey);
      const theirs = await keyFromSeed('Ed25519', key.seed());
      assert.deepEqual(Buffer.from(theirs.publicKey.raw), key.publicKey);
      assert.ok(peerIdFromString(peerId).equals(theirs.publicKey.toMultihash().bytes as never));
      assert.deepEqual(publicKeyOf(peerId), key.publicKey);
    }
    assert.equal(publicKeyOf('12D3KooWnonsense'), undefined);
  });

  it('keeps keys to itself, and is the same host after a restart', async () => {
    const again = await newIdentity('founder');
    assert.equal(again.peerId, founder.peerId);
    const secret = founder.key.seed().toString('base64url');
    for (const text of [inspect(founder, { depth: 9 }), JSON.stringify(founder), String(founder.key)]) {
      assert.ok(!text.includes(secret));
    }
    const { invite: line } = invite(newLedger(), founder);
    for (const text of [inspect({ line }), JSON.stringify({ line }), `${line}`])
      assert.ok(!text.includes(line.reveal().slice(40, 80)));
    assert.equal(Invite.parse(`  ${line.reveal()}\n`).grant().key, line.grant().key);
  });

  it('proves a member to whoever has only the fog key, over several inviters', async () => {
    const ledger = newLedger();
    const [second, third] = [await newIdentity('second'), await newIdentity('third')];
    letIn(ledger, founder, second, { admin: true });
    letIn(ledger, second, third);
    const stranger = newLedger([]);
    stranger.admit(ledger.proofOf(third.peerId).reverse());
    assert.equal(stranger.objection(third.peerId), undefined);
    assert.deepEqual(stranger.get('certificate', third.peerId)!.abilities, []);
    const part = newLedger([]);
    part.admit(ledger.proofOf(third.peerId).slice(0, 2));
    assert.equal(part.objection(third.peerId), 'unknown');
  });

  it('believes no certificate that nobody counted, or that gives more than the invite', async () => {
    const ledger = newLedger();
    const member = await newIdentity('member');
    letIn(ledger, founder, member);
    const { invite: line, grant } = invite(ledger, founder);
    ledger.admit([grant]);
    const newcomer = await newIdentity('newcomer');
    const { certificate } = requestToJoin(line, newcomer, HERE);
    ledger.admit([certificate]);
    ledger.admit([countersign(certificate, newcomer.key)]);
    assert.equal(ledger.objection(newcomer.peerId), 'unknown');
    const greedy = signStatement({ ...JSON.parse(certificate.text), abilities: ['revoke'] }, line.key());
    ledger.admit([countersign(greedy, member.key)]);
    assert.equal(ledger.objection(newcomer.peerId), 'unknown');
    // A member without the ability makes no invites either.
    const forged = signStatement(
      { ...JSON.parse(grant.text), key: 'forged', issuer: member.peerId },
      member.key,
    );
    assert.deepEqual(ledger.admit([forged]), []);
    assert.throws(() => ledger.admit([{ ...certificate, text: certificate.text.replace('here', 'there') }]), {
      code: 'ERR_MESH_NOT_A_MEMBER',
    });
  });

  it('lets a revoked host in nowhere, and nobody whom it vouches for afterwards', async () => {
    const ledger = newLedger();
    const thief = await newIdentity('thief');
    const friend = await newIdentity('friend');
    letIn(ledger, founder, thief, { admin: true });
    const before = ledger.proofOf(thief.peerId);
    const { invite: line, grant } = invite(ledger, thief);
    const revocation = ledger.revocationOf(thief.peerId);
    const own = newLedger(before);
    own.admit([grant]);
    assert.equal(ledger.admit([signStatement(revocation, friend.key)]).length, 0);
    ledger.admit([signStatement(revocation, founder.key)]);
    assert.equal(ledger.objection(thief.peerId), 'revoked');
    // It sticks: the same certificate, or a later one of its own making, changes nothing.
    ledger.admit(before);
    assert.equal(ledger.objection(thief.peerId), 'revoked');
    const request = requestToJoin(line, friend, HERE);
    const counted = countUse(request, friend.peerId, thief, own);
    ledger.admit([grant, counted]);
    assert.equal(ledger.objection(friend.peerId), 'unvouched');
    assert.throws(() => countUse(request, friend.peerId, founder, ledger), { code: 'ERR_MESH_REVOKED' });
    ledger.admit([signStatement({ ...revocation, key: founder.peerId, keeps: [] }, thief.key)]);
    assert.equal(ledger.objection(founder.peerId), undefined);
    // Nor does it help to be revoked by itself, or by a friend, with all that it let in kept.
    const all = own.revocationOf(thief.peerId);
    assert.equal(ledger.admit([signStatement(all, thief.key)]).length, 0);
    const accomplice = await newIdentity('accomplice');
    letIn(own, thief, accomplice, { admin: true });
    ledger.admit([
      ...own.proofOf(accomplice.peerId),
      signStatement(own.revocationOf(thief.peerId), accomplice.key),
      signStatement({ ...revocation, key: founder.peerId, keeps: [] }, accomplice.key),
    ]);
    assert.deepEqual(
      [founder, thief, friend, accomplice].map(({ peerId }) => ledger.objection(peerId)),
      [undefined, 'revoked', 'unvouched', 'unvouched'],
    );
  });

  it('ends up with one judgement of all hosts in whatever order it learns of a revocation', async () => {
    const ledger = newLedger();
    const [admin, guest, second, late] = await Promise.all(
      ['admin', 'guest', 'second', 'late'].map(newIdentity) as [Promise<Identity>, ...Promise<Identity>[]],
    );
    letIn(ledger, founder, admin!, { admin: true });
    letIn(ledger, admin!, guest!);
    letIn(ledger, admin!, second!, { admin: true });
    letIn(ledger, second!, late!);
    const revocations = [admin!, late!].map(({ peerId }, index) =>
      signStatement(ledger.revocationOf(peerId), (index === 0 ? founder : second!).key),
    );
    const everything = [...ledger.compare({}).lacking, ...revocations];
    const expected = [undefined, 'revoked', undefined, undefined, 'revoked'];
    const digests = new Set<string>();
    for (let count = 0; count < 30; count += 1) {
      const order = everything.map((signed) => ({ signed, at: Math.random() })).sort((a, b) => a.at - b.at);
      const other = newLedger([]);
      // Piece by piece, as news comes in, until nothing new is left.
      for (let fresh = 1; fresh > 0; ) {
        fresh = 0;
        for (const { signed } of order) fresh += other.admit([signed]).length;
      }
      const judged = [founder, admin!, guest!, second!, late!].map(({ peerId }) => other.objection(peerId));
      assert.deepEqual(judged, expected);
      digests.add(other.digest());
    }
    assert.equal(digests.size, 1);
  });

  it('keeps nothing of a proof that proves nothing, and checks only so much of it', async () => {
    const ledger = newLedger();
    const thief = await newIdentity('burglar');
    letIn(ledger, founder, thief, { admin: true });
    const own = newLedger(ledger.proofOf(thief.peerId));
    ledger.admit([signStatement(ledger.revocationOf(thief.peerId), founder.key)]);
    const before = ledger.digest();
    const friend = await newIdentity('fence');
    letIn(own, thief, friend);
    const { objection, fresh } = ledger.admitProof(friend.peerId, own.proofOf(friend.peerId));
    assert.deepEqual([objection, fresh.length, ledger.digest()], ['unvouched', 0, before]);
    const key = new SigningKey();
    const record = { kind: 'record', fog: ledger.fog, key: friend.peerId, ...HERE } as const;
    const abilities = { arch: 'x64', kernel: '6', criu: null, cpus: 1, memory: 1, version: '0' };
    const flood = Array.from({ length: 33 }, (_, index) =>
      signStatement({ ...record, addresses: [], abilities, sequence: index + 1 }, key),
    );
    assert.throws(() => ledger.admitProof(friend.peerId, flood), { code: 'ERR_MESH_NOT_A_MEMBER' });
    // What is known costs nothing, and does not count.
    const known = Array.from({ length: 40 }, () => founding[0]!);
    assert.equal(ledger.admitProof(founder.peerId, known).objection, undefined);
  });

  it('lets two equals shut each other out, and a senior one win', async () => {
    const ledger = newLedger();
    const [one, other] = [await newIdentity('equal-1'), await newIdentity('equal-2')];
    letIn(ledger, founder, one, { admin: true });
    letIn(ledger, founder, other, { admin: true });
    const against = (of: Identity, by: Identity) => signStatement(ledger.revocationOf(of.peerId), by.key);
    const [first, second] = [against(one, other), against(other, one)];
    const third = against(founder, one);
    ledger.admit([first, second]);
    assert.deepEqual(
      [one, other].map(({ peerId }) => ledger.objection(peerId)),
      ['revoked', 'revoked'],
    );
    // It does not know of what they said meanwhile: it stays without effect.
    ledger.admit([against(one, founder), third]);
    assert.equal(ledger.objection(founder.peerId), undefined);
    assert.equal(ledger.objection(other.peerId), 'revoked');
  });

  it('counts the uses of an invite, and a host that asks twice once', async () => {
    const ledger = newLedger();
    const [one, two] = [await newIdentity('one'), await newIdentity('two')];
    const request = letIn(ledger, founder, one, { uses: 1 });
    countUse(request, one.peerId, founder, ledger);
    const { grant } = request;
    const key = new SigningKey();
    assert.throws(() => countUse(request, two.peerId, founder, ledger), { code: 'ERR_MESH_NOT_A_MEMBER' });
    const wrongSecret = {
      certificate: signStatement({ ...JSON.parse(request.certificate.text), key: two.peerId }, key),
      grant,
    };
    assert.throws(() => countUse(wrongSecret, two.peerId, founder, ledger), {
      code: 'ERR_MESH_NOT_A_MEMBER',
    });
    const { invite: short, grant: shortGrant } = invite(ledger, founder, { validMs: 1 });
    ledger.admit([shortGrant]);
    const late = requestToJoin(short, two, HERE);
    while (Date.now() <= short.grant().expires);
    assert.throws(() => countUse(late, two.peerId, founder, ledger), { code: 'ERR_MESH_INVITE_EXPIRED' });
    // In the issuer's place, with slack for the clocks.
    countUse(late, two.peerId, one, ledger);
    assert.equal(ledger.objection(two.peerId), undefined);
  });

  it('ends a certificate at its time, with a day of slack', async () => {
    const ledger = newLedger();
    const guest = await newIdentity('guest');
    letIn(ledger, founder, guest, { certificateMs: 1000 });
    const { expires } = ledger.get('certificate', guest.peerId)!;
    assert.equal(ledger.objection(guest.peerId, expires! + CLOCK_SLACK), undefined);
    assert.equal(ledger.objection(guest.peerId, expires! + CLOCK_SLACK + 1), 'expired');
  });

  it('takes the newer record by its number, and ends equal whatever the order', async () => {
    const body = { kind: 'record', fog: newLedger().fog, key: founder.peerId, ...HERE } as const;
    const abilities = { arch: 'x64', kernel: '6', criu: null, cpus: 1, memory: 1, version: '0' };
    const record = (sequence: number, address: string) =>
      signStatement({ ...body, sequence, abilities, addresses: [address] }, founder.key);
    const all = [record(1, 'a'), record(3, 'c'), record(2, 'b'), record(3, 'd')];
    const one = newLedger();
    const other = newLedger();
    one.admit(all);
    other.admit([...all].reverse());
    assert.equal(one.digest(), other.digest());
    assert.deepEqual(one.get('record', founder.peerId), other.get('record', founder.peerId));
    const behind = newLedger();
    const { lacking, wanted } = one.compare(behind.inventory());
    assert.deepEqual([lacking.length, wanted], [1, []]);
    behind.admit(lacking);
    assert.equal(behind.digest(), one.digest());
  });

  it('is kept over a restart', async () => {
    const path = folder.join('kept.db');
    const first = new Ledger(openDatabase(path), fogKey);
    first.admit(founding);
    const again = new Ledger(openDatabase(path), fogKey);
    assert.equal(again.objection(founder.peerId), undefined);
    assert.equal(again.digest(), first.digest());
  });
});
