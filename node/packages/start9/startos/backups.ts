import { sdk } from './sdk'

// A database that is copied while the node writes would be damaged. The node gets the share-chain from its peers again; the settings, its
// key and its token are in the backup.
export const { createBackup, restoreInit } = sdk.setupBackups(async () =>
  sdk.Backups.withOptions({ exclude: ['node/store'] }).addVolume('main'),
)
