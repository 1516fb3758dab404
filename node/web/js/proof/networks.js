// The constants of each network that payouts depend on: specs/protocol.md, section 3.
const ONE_BLOCK = 1n << 64n;
const COMMON = { outputsMax: 48, floorSat: 10_000n, halvingBlocks: 210_000, windowProofs: 1 << 21 };

const STANDARD = {
  main: { ...COMMON, listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
  signet: { ...COMMON, listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
  local: { ...COMMON, listedBeforePayouts: 48, windowWeight: 32n * ONE_BLOCK, seedDepth: 1 },
  testnet4: { ...COMMON, listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
  regtest: { ...COMMON, halvingBlocks: 150, listedBeforePayouts: 48, windowWeight: 32n * ONE_BLOCK, seedDepth: 1 },
};

// The same networks with wide coinbases.
const WIDE = Object.fromEntries(Object.entries(STANDARD).map(([name, constants]) => [`${name}-wide`, { ...constants, outputsMax: 1000 }]));
export const NETWORKS = { ...STANDARD, ...WIDE };

/** The share-chain of a node, by its status: a name in NETWORKS. */
export const chainOf = ({ network, outputs_max: outputsMax }) => (outputsMax === STANDARD[network]?.outputsMax ? network : `${network}-wide`);

/** What a block may make new, satoshi. */
export const subsidy = (height, network) => 5_000_000_000n >> BigInt(Math.floor(height / network.halvingBlocks));

/** Height of the Bitcoin block whose hash is the seed: an ancestor of the one before. */
export const seedHeight = (height, network) => Math.max(0, height - 1 - network.seedDepth);
