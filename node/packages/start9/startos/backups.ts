import { sdk } from './sdk'

// A copy of the database while the node writes would be damaged. The node gets the share-chain from its peers again. The backup has the
// settings, the node's key and its token.
export const { createBackup, restoreInit } = sdk.setupBackups(async () =>
  sdk.Backups.withOptions({ exclude: ['node/store'] }).addVolume('main'),
)
