import { readdirSync } from 'node:fs';
import { DataDirectory, Journal, openDatabase } from '../../../lib/base';
import type { ImageSource } from '../../../lib/image';
import { ImageStore, type ImageStoreOptions } from '../../../lib/image';

export interface OpenStore {
  images: ImageStore;
  directory: DataDirectory;
  journal: Journal;
  /** Names in one of the data directory's folders. */
  names(folder: string): string[];
  close(): Promise<void>;
}

type Options = Omit<Partial<ImageStoreOptions>, 'openSource'> & {
  /** By reference as written in the test. */
  images?: Record<string, ImageSource>;
};

/** A store in a folder of its own, without long waits; every test closes what it opened. */
export async function openStore(path: string, { images, ...options }: Options = {}): Promise<OpenStore> {
  const directory = new DataDirectory(path);
  directory.acquire();
  const database = openDatabase(directory.join('garua.db'));
  const journal = new Journal(database);
  const store = await ImageStore.open({
    dataDirectory: directory,
    database,
    journal,
    backoffMs: 1,
    ...(images
      ? {
          openSource: async (reference) => {
            const name = 'repository' in reference ? reference.repository : reference.path;
            const source = images[name];
            if (!source) throw new Error(`the test has no image ${name}`);
            return source;
          },
        }
      : {}),
    ...options,
  });
  return {
    images: store,
    directory,
    journal,
    names: (folder) => readdirSync(directory.join(folder)).sort(),
    close: async () => {
      await store.close();
      database.close();
      directory.close();
    },
  };
}
