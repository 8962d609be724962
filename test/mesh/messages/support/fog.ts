import { type Database, DataDirectory, openDatabase } from '../../../../lib/base';
import { FogMesh, FogMessages, type Message } from '../../../../lib/mesh';
import { eventually } from '../../support/mesh-process';

/** One host of a fog of this process. */
export interface Member {
  mesh: FogMesh;
  messages: FogMessages;
  database: Database;
  close(): Promise<void>;
}

/** Opens a host with a site of its own, in `folder/name`. */
export async function openMember(folder: string, name: string): Promise<Member> {
  const directory = new DataDirectory(`${folder}/${name}`);
  directory.acquire();
  const database = openDatabase(directory.join('garua.db'));
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const mesh = await FogMesh.open({ directory, database, name, site: `${name}-site`, listen, mdns: false });
  const messages = new FogMessages(mesh, database);
  return {
    mesh,
    messages,
    database,
    close: async () => {
      await messages.close();
      await mesh.close();
      database.close();
      directory.close();
    },
  };
}

/** Waits until a host knows so many subscribers of a topic. */
export function subscribers({ messages }: Member, topic: string, count: number): Promise<void> {
  return eventually(
    async () => (await messages.queues()).filter((queue) => queue.topic === topic).length,
    count,
  );
}

/** Takes what a subscriber gets, and keeps its texts. */
export class Listener {
  readonly got: Message[] = [];
  readonly #member: Member;
  readonly #name: string;
  #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();

  constructor(member: Member, name: string) {
    this.#member = member;
    this.#name = name;
  }

  /** @param acknowledge whether it does */
  open(topic: string, { acknowledge = true, retained = true } = {}): this {
    const { messages } = this.#member;
    const stop = new AbortController();
    this.#stop = stop;
    const stream = messages.subscribe(topic, { subscriber: this.#name, retained, signal: stop.signal });
    this.#done = (async () => {
      for await (const message of stream) {
        this.got.push(message);
        if (acknowledge) await messages.acknowledge(this.#name, [message.sequence]);
      }
    })();
    return this;
  }

  get texts(): string {
    return this.got.map(({ body }) => body).join(' ');
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}
