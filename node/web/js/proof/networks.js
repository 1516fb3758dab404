// The constants on which payouts depend, for each network: specs/protocol.md, section 3.
const ONE_BLOCK = 1n << 64n;
const COMMON = { outputsMax: 48, floorSat: 10_000n, halvingBlocks: 210_000, windowProofs: 1 << 21 };

const STANDARD = {
  main: { ...COMMON, listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
  signet: { ...COMMON, listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
  local: { ...COMMON, listedBeforePayouts: 48, windowWeight: 32n * ONE_BLOCK, seedDepth: 1 },
  testnet4: { ...COMMON, listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
  regtest: { ...COMMON, halvingBlocks: 150, listedBeforePayouts: 48, windowWeight: 32n * ONE_BLOCK, seedDepth: 1 },
  rehearsal: { ...COMMON, listedBeforePayouts: 576, windowWeight: 8n * ONE_BLOCK, seedDepth: 2 },
};

// The same networks with wide coinbases.
const WIDE = Object.fromEntries(Object.entries(STANDARD).map(([name, constants]) => [`${name}-wide`, { ...constants, outputsMax: 1000 }]));
// Consensus ids (protocol.md, section 3). Private pools have others.
const IDS = {
  main: "bfcec99aa5e8518e2e54746a50391492687eaae6e8362e91b17027ed76e1dfc7",
  signet: "7d1abcb3b0883675af4069ba7c105c91d137cba1046c2c2b36e781d4f1fdc1b1",
  local: "f1ba06ac1c291581e08448f5d18657195d4c68b1b90bd3e9c97906a3a084bd0c",
  testnet4: "25a3f5b63d055ffec0757ba33153110ac7b3782740074e84165f0698095aa154",
  regtest: "e39836d431043e1cad958d5b690c3f203717ea9de46f9756962edb88bb5dfb98",
  rehearsal: "7602916b9b64206082d608aed09a9e24abf8f0c5ad7b69b6b56bf774faa9b42b",
  "main-wide": "6c990737a5d9f84635a623d22316db74d21423aefa979421be75df696741824a",
  "signet-wide": "350ad511f4bcb7ff3fe513031ce7fc344a0699b4da8b9f7a2b903f2b7386bbaa",
  "local-wide": "18494d20c43812701c1e712f65dbb1c23d90fd7abcda49483987ae9a1c37ab94",
  "testnet4-wide": "0094495518cccd08c2eab37f50fc50eb018f28f3f08d55b8e8512557f8d21c08",
  "regtest-wide": "5419388e0eaf24eca258175e0b36bdf7a383c26a3e82df81f7c6654c3412e65a",
  "rehearsal-wide": "366afba89ec502f0fe7a896616a50dc3d60a66cc9da8bc6cf73579761882f56f",
};
export const NETWORKS = Object.fromEntries(Object.entries({ ...STANDARD, ...WIDE }).map(([name, constants]) => [name, { ...constants, id: IDS[name] }]));

/** The share-chain of a node, by its status: a name in NETWORKS. */
export const chainOf = ({ network, outputs_max: outputsMax }) => (outputsMax === STANDARD[network]?.outputsMax ? network : `${network}-wide`);

/** Subsidy of a block, satoshi. */
export const subsidy = (height, network) => 5_000_000_000n >> BigInt(Math.floor(height / network.halvingBlocks));

/** Height of the Bitcoin block whose hash is the seed: an ancestor of the one before. */
export const seedHeight = (height, network) => Math.max(0, height - 1 - network.seedDepth);
