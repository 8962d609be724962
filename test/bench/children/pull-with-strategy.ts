import { DataDirectory, Journal, openDatabase } from '../../../lib/base';
import { ImageStore } from '../../../lib/image';

/** `node pull-with-strategy.js DATA REF STRATEGY`: one pull through the library, with techniques switched off. */
async function main([data, ref, strategy]: string[]): Promise<void> {
  const dataDirectory = new DataDirectory(data);
  dataDirectory.acquire();
  const database = openDatabase(dataDirectory.join('garua.db'));
  const journal = new Journal(database);
  const store = await ImageStore.open({ dataDirectory, database, journal, strategy: JSON.parse(strategy!) });
  const result = await store.pull(ref!, { insecure: true });
  process.stdout.write(JSON.stringify(result));
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
