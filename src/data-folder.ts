/** The data folder: made at the start if it is not there. */
import { mkdirSync } from 'node:fs';
import { dataFolderFailure } from './start-failure.ts';

/** Its owner alone can enter it. Throws a sentence for the operator when it cannot be made. */
export function makeDataFolder(dataFolder: string): void {
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw dataFolderFailure(dataFolder, error);
  }
}
