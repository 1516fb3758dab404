// The constants of each network that payouts depend on: specs/protocol.md, section 3.
const ONE_BLOCK = 1n << 64n;
const COMMON = { outputsMax: 48, floorSat: 10_000n, halvingBlocks: 210_000, windowProofs: 1 << 21 };

export const NETWORKS = {
  main: { ...COMMON, id: "f6d73152e72739433d2b36d4844027525430bd46fa791d28decc8580895efbab", listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
  signet: { ...COMMON, id: "221d2420373ae32edfd8dc0b33b10784e93b3d2ebb99701553196f7c92b29d9a", listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
  local: { ...COMMON, id: "b1a8fe901d8b7dd50c95e4ba472d056e340bce221af93800238ade3a8e6ab6ff", listedBeforePayouts: 48, windowWeight: 32n * ONE_BLOCK, seedDepth: 1 },
};

/** What a block may make new, satoshi. */
export const subsidy = (height, network) => 5_000_000_000n >> BigInt(Math.floor(height / network.halvingBlocks));

/** Height of the Bitcoin block whose hash is the seed: an ancestor of the one before. */
export const seedHeight = (height, network) => Math.max(0, height - 1 - network.seedDepth);
