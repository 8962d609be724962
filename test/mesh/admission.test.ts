import assert from 'node:assert/strict';
import { join } from 'node:path';
import { temporaryFolder } from '../support/temporary';
import { eventually, MeshProcess } from './support/mesh-process';

const DAY = 86_400_000;

describe('joining a fog', () => {
  const folder = temporaryFolder();
  const hosts: MeshProcess[] = [];
  after(() => Promise.all(hosts.map((host) => host.kill())));

  async function start(name: string, more: { clock?: number } = {}): Promise<MeshProcess> {
    const host = await MeshProcess.start({
      data: join(folder.path, name),
      name,
      site: 'here',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      ...more,
    });
    hosts.push(host);
    return host;
  }

  it('refuses an invite that has expired, is cut, or is of another fog', async () => {
    const first = await start('first');
    const other = await start('other');
    await first.createFog('one');
    await other.createFog('two');
    const newcomer = await start('newcomer');

    const short = await first.invite({ validMs: 1 });
    await assert.rejects(newcomer.join(short), { code: 'ERR_MESH_INVITE_EXPIRED' });
    const whole = await first.invite();
    await assert.rejects(newcomer.join(whole.slice(0, -40)), (error: { code: string; message: string }) => {
      assert.equal(error.code, 'ERR_MESH_INVITE_INVALID');
      assert.ok(!error.message.includes(whole.slice(20, 40)));
      return true;
    });

    // An invite of the one fog with the addresses of the other.
    const mark = whole.lastIndexOf('-', 20) + 1;
    const open = (text: string) => JSON.parse(Buffer.from(text.slice(mark), 'base64url').toString());
    const crossed = { ...open(whole), addresses: open(await other.invite()).addresses };
    const text = whole.slice(0, mark) + Buffer.from(JSON.stringify(crossed)).toString('base64url');
    await assert.rejects(newcomer.join(text), { code: 'ERR_MESH_WRONG_FOG' });

    await newcomer.join(whole);
    await assert.rejects(newcomer.join(whole), { code: 'ERR_MESH_ALREADY_MEMBER' });
    await assert.rejects(other.join(whole), { code: 'ERR_MESH_ALREADY_MEMBER' });
  });

  it('is counted by the issuer, through any member, and by the members while the issuer is away', async () => {
    const issuer = await start('issuer');
    await issuer.createFog('three');
    const member = await start('member');
    await member.join(await issuer.invite());
    await eventually(() => issuer.names(), 'issuer member');
    // The invite names the issuer and the member.
    const invite = await issuer.invite({ uses: 2 });
    const viaIssuer = await start('via-issuer');
    await viaIssuer.join(invite);
    await eventually(() => member.names(), 'issuer member via-issuer');
    await issuer.kill();
    await eventually(() => member.names('up'), 'member via-issuer');
    const viaMember = await start('via-member');
    await viaMember.join(invite);
    await assert.rejects((await start('too-many')).join(invite), { code: 'ERR_MESH_INVITE_USED_UP' });
    await issuer.start();
    await eventually(() => issuer.names(), 'issuer member via-issuer via-member');
  });

  it('works between hosts whose clocks are a day apart, and so does a certificate that ends', async () => {
    const now = await start('now');
    const ahead = await start('ahead', { clock: DAY / 2 });
    const behind = await start('behind', { clock: -DAY / 2 });
    await now.createFog('four');
    const invite = await now.invite({ uses: 2, validMs: 3_600_000, certificateMs: 3_600_000 });
    await ahead.join(invite);
    await behind.join(invite);
    for (const host of [now, ahead, behind]) await eventually(() => host.names(), 'ahead behind now');
  });

  it('is over when the certificate has ended', async () => {
    const base = await start('base');
    await base.createFog('five');
    const guest = await start('guest');
    await guest.join(await base.invite({ certificateMs: 1_000 }));
    await base.kill();
    base.options.clock = 2 * DAY;
    await base.start();
    await eventually(() => base.names(), 'base');
    assert.equal((await base.hosts()).length, 1);
  });
});
