/**
 * Run as a process of its own by container-moves.test: lets a container depart as it is told, says when it has come so
 * far, and waits to be killed.
 */
import { join } from 'node:path';
import { DataDirectory, Journal, openDatabase } from '../../../lib/base';
import { ContainerEngine } from '../../../lib/container';

async function main([path, how, images]: string[]): Promise<void> {
  const directory = new DataDirectory(path);
  const database = openDatabase(join(path!, 'garua.db'));
  const journal = new Journal(database);
  const engine = await ContainerEngine.open({
    dataDirectory: directory,
    database,
    journal,
    hostName: 'test-host',
  });
  const departure = await engine.moves.depart('box', 'migration');
  console.log(departure.id);
  await departure.dump(images!);
  if (how === 'offer') departure.offer();
  console.log('dumped');
  setInterval(() => {}, 1_000);
}

void main(process.argv.slice(2));
