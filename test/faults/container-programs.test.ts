import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerSpec, ContainerStatus } from '../../lib/container';
import { ContainerFixture, type TestImage } from '../container/fixture';
import { copyFiles, describeWithCriu, recordFor } from '../container/move/support';

/** Two threads count, each in memory of its own; the first tells both. */
const THREADS = `
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static volatile long other;
static void *count(void *unused) { for (;;) { other++; usleep(10000); } return unused; }
int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, count, NULL);
  for (long own = 1;; own++) { printf("%ld %ld\\n", own, other); fflush(stdout); usleep(20000); }
}`;

/** Fills 8 MiB with what follows from each place, and goes on to check it. */
const MEMORY = `
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#define SIZE (8 << 20)
int main(void) {
  unsigned char *all = malloc(SIZE);
  for (long i = 0; i < SIZE; i++) all[i] = (i * 2654435761u) >> 13;
  for (;;) {
    long wrong = 0;
    for (long i = 0; i < SIZE; i++) wrong += all[i] != (unsigned char)((i * 2654435761u) >> 13);
    printf("wrong %ld\\n", wrong); fflush(stdout); usleep(50000);
  }
}`;

/** Answers each line with how many it has seen on this connection, and the first line of it. */
const SERVER = `
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
  int server = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(8080) };
  bind(server, (struct sockaddr *)&at, sizeof at);
  listen(server, 5);
  puts("ready"); fflush(stdout);
  for (;;) {
    FILE *peer = fdopen(accept(server, NULL, NULL), "r+");
    char line[200], first[200] = "";
    for (int seen = 1; fgets(line, sizeof line, peer); seen++) {
      if (seen == 1) strcpy(first, line);
      fseek(peer, 0, SEEK_CUR);
      fprintf(peer, "%d %s", seen, first); fflush(peer);
      fseek(peer, 0, SEEK_CUR);
    }
    fclose(peer);
    puts("gone"); fflush(stdout);
  }
}`;

describeWithCriu('container: programs that move', function () {
  this.timeout(180_000);
  let here: ContainerFixture;
  let there: ContainerFixture;
  before(async () => {
    here = await ContainerFixture.create();
    there = await ContainerFixture.create();
  });
  afterEach(async () => {
    for (const fixture of [here, there])
      await fixture?.engine.remove('box', { force: true, graceMs: 0 }).catch(() => {});
  });
  after(async () => {
    await here?.destroy();
    await there?.destroy();
  });

  /** An image with a C program that needs nothing else. */
  async function imageOf(fixture: ContainerFixture, source: string): Promise<TestImage> {
    const layer = await fixture.layer(`program-${source.length}`, { 'srv/program.c': source });
    const program = join(layer.path, 'srv/program');
    execFileSync('gcc', ['-static', '-O1', '-pthread', '-o', program, `${program}.c`]);
    return fixture.image({}, [layer]);
  }

  /** Node.js with the libraries that it loads. */
  async function nodeImage(fixture: ContainerFixture, script: string): Promise<TestImage> {
    const layer = await fixture.layer('node', { 'srv/server.js': script });
    const text = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
    const libraries = [...text.matchAll(/(?:=> )?(\/\S+) \(/g)].map((match) => match[1]!);
    for (const [from, to] of [
      [process.execPath, '/bin/node'],
      ...libraries.map((path) => [path, path]),
    ] as const) {
      await mkdir(dirname(join(layer.path, to!)), { recursive: true });
      await cp(from!, join(layer.path, to!), { dereference: true });
    }
    return fixture.image({}, [layer]);
  }

  /** Starts it here, lets it go on there once it has said enough, and answers its status there. */
  async function move(
    spec: Partial<ContainerSpec>,
    images: [TestImage, TestImage],
    lines = 5,
  ): Promise<ContainerStatus> {
    const { container } = await here.deploy(spec, images[0]);
    await untilLines(here, lines);
    return moveAway(container, images[1]);
  }

  async function moveAway(container: ContainerStatus, test: TestImage): Promise<ContainerStatus> {
    const departure = await here.engine.moves.depart(container.name, 'migration');
    const images = join(there.path, 'images');
    await departure.dump(images);
    const [record, { address }] = [await recordFor(there, departure.record, test), departure];
    const kept = join(there.path, 'kept');
    const copy = { upper: join(kept, 'upper'), volumes: [], log: join(kept, 'log') };
    await mkdir(copy.upper, { recursive: true });
    await copyFiles(departure, copy);
    // Two hosts have two networks; here the address is free only once the source has gone.
    await departure.release();
    const arrival = await there.engine.moves.arrive({ purpose: 'migration', record, address });
    await cp(copy.log, arrival.log);
    execFileSync('cp', ['-a', '--', `${copy.upper}/.`, arrival.upper]);
    execFileSync('cp', ['-a', '--', `${images}/.`, arrival.images]);
    execFileSync('rm', ['-rf', kept, images]);
    await arrival.restore();
    await arrival.probe();
    if (address) assert.equal(arrival.addressOutcome, 'kept');
    return arrival.commit();
  }

  async function linesOf(fixture: ContainerFixture): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of fixture.engine.logs('box')) texts.push(text);
    return texts;
  }

  async function untilLines(fixture: ContainerFixture, count: number): Promise<string[]> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const lines = await linesOf(fixture);
      if (lines.length >= count) return lines;
      assert.ok(Date.now() < deadline, `it wrote only ${lines.length} lines`);
      await delay(50);
    }
  }

  it('a program with threads: all of them go on', async () => {
    const images = [await imageOf(here, THREADS), await imageOf(there, THREADS)] as [TestImage, TestImage];
    await move({ command: ['/srv/program'] }, images);
    const before = (await linesOf(there)).length;
    const lines = (await untilLines(there, before + 10)).map((line) => line.split(' ').map(Number));
    assert.deepEqual(
      lines.map(([own]) => own),
      lines.map((_, index) => index + 1),
    );
    const others = lines.map(([, other]) => other!);
    assert.deepEqual(
      others,
      others.toSorted((a, b) => a - b),
    );
    assert.ok(others.at(-1)! > others[before - 1]!, 'the other thread stands still');
  });

  it('memory: every byte is as it was', async () => {
    const images = [await imageOf(here, MEMORY), await imageOf(there, MEMORY)] as [TestImage, TestImage];
    await move({ command: ['/srv/program'], memory: 64 << 20 }, images, 2);
    const lines = await untilLines(there, (await linesOf(there)).length + 3);
    assert.deepEqual(new Set(lines), new Set(['wrong 0']));
    const [stats] = await there.engine.stats();
    assert.equal(stats!.memoryLimit, 64 << 20);
    assert.ok(stats!.memory! > 8 << 20);
  });

  it('a family of processes with pipes between them, and an open file', async () => {
    const script = `n=0; exec 5>/tmp/written
      (while :; do n=$((n+1)); echo $n; echo $n >&5; sleep 0.05; done) | (while read n; do echo "got $n"; done) | cat`;
    await move({ command: ['sh', '-c', script] }, [await here.image(), await there.image()]);
    const lines = await untilLines(there, (await linesOf(there)).length + 5);
    assert.deepEqual(
      lines,
      lines.map((_, index) => `got ${index + 1}`),
    );
    const [{ pid }] = (await there.engine.list()) as [ContainerStatus];
    const written = (await readFile(`/proc/${pid}/root/tmp/written`, 'utf8')).trim().split('\n').map(Number);
    assert.ok(written.length >= lines.length - 1);
    assert.deepEqual(
      written,
      written.map((_, index) => index + 1),
    );
  });

  it('a server: an established connection goes on under the same address', async () => {
    const images = [await imageOf(here, SERVER), await imageOf(there, SERVER)] as [TestImage, TestImage];
    const { container } = await here.deploy({ command: ['/srv/program'], network: 'bridge' }, images[0]);
    await untilLines(here, 1);
    const socket = connect({ host: container.address!, port: 8080 });
    await once(socket, 'connect');
    assert.equal(await ask(socket, 'quay 7'), '1 quay 7');
    assert.equal(await ask(socket, 'again'), '2 quay 7');
    // It serves one at a time: this one is not accepted yet, and must not keep it here.
    const waiting = connect({ host: container.address!, port: 8080 }).on('error', () => {});
    await once(waiting, 'connect');
    const moved = await moveAway(container, images[1]);
    assert.equal(moved.address, container.address);
    assert.equal(await ask(socket, 'and again'), '3 quay 7');
    for (const each of [socket, waiting]) each.destroy();
    assert.deepEqual((await untilLines(there, 2)).slice(0, 2), ['ready', 'gone']);
  });

  it('a server under another address: what was connected is closed, and it serves others', async () => {
    const images = [await imageOf(here, SERVER), await imageOf(there, SERVER)] as [TestImage, TestImage];
    const { container } = await here.deploy({ command: ['/srv/program'], network: 'bridge' }, images[0]);
    await untilLines(here, 1);
    const old = connect({ host: container.address!, port: 8080 }).on('error', () => {});
    await once(old, 'connect');
    assert.equal(await ask(old, 'quay 7'), '1 quay 7');
    const departure = await here.engine.moves.depart('box', 'migration');
    const record = await recordFor(there, departure.record, images[1]);
    const { address } = departure;
    const arrival = await there.engine.moves.arrive({ purpose: 'migration', record, address });
    assert.equal(arrival.addressOutcome, 'changed');
    await departure.dump(arrival.images);
    await copyFiles(departure, arrival);
    await arrival.restore();
    await departure.release();
    const moved = await arrival.commit();
    assert.notEqual(moved.address, address);
    assert.deepEqual((await untilLines(there, 2)).slice(0, 2), ['ready', 'gone']);
    const socket = connect({ host: moved.address!, port: 8080 });
    await once(socket, 'connect');
    assert.equal(await ask(socket, 'quay 8'), '1 quay 8');
    for (const each of [old, socket]) each.destroy();
  });

  it('a Node.js server: what it counts in its heap goes on', async () => {
    const script = `let n = 0; require('http').createServer((_, answer) => answer.end(String(++n)))
      .listen(8080, () => console.log('listening'));`;
    const images = [await nodeImage(here, script), await nodeImage(there, script)] as [TestImage, TestImage];
    const spec: Partial<ContainerSpec> = { command: ['/bin/node', '/srv/server.js'], network: 'bridge' };
    const { container } = await here.deploy(spec, images[0]);
    await untilLines(here, 1);
    const request = async (address: string | null) =>
      Number(await (await fetch(`http://${address}:8080`)).text());
    for (let n = 1; n <= 3; n += 1) assert.equal(await request(container.address), n);
    const moved = await moveAway(container, images[1]);
    assert.equal(await request(moved.address), 4);
  });

  async function ask(socket: Socket, line: string): Promise<string> {
    const answer = once(socket, 'data', { signal: AbortSignal.timeout(30_000) });
    socket.write(`${line}\n`);
    const [data] = (await answer) as [Buffer];
    return data.toString().trim();
  }
});
