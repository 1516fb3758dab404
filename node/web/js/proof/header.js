// Checks that a coinbase is part of the block with a hash: Merkle branch and header. Pure.
import { sha256 } from "../../vendor/noble-hashes/sha2.js";
import { bigEndian, concat, fromHex, toHex } from "./bytes.js";

const doubleHash = (bytes) => sha256(sha256(bytes));

/** The target that the compact form `bits` encodes. */
export function target(bits) {
  const [exponent, mantissa] = [bits >>> 24, BigInt(bits & 0x7fffff)];
  return exponent > 3 ? mantissa << BigInt(8 * (exponent - 3)) : mantissa >> BigInt(8 * (3 - exponent));
}

/** [what, holds] for each step from the coinbase to the block's hash. */
export function checkBlock({ hash, coinbase_hex, header_hex, merkle_branch }) {
  const header = fromHex(header_hex);
  const root = merkle_branch.map(fromHex).reduce((left, right) => doubleHash(concat(left, right)), doubleHash(fromHex(coinbase_hex)));
  const own = doubleHash(header).reverse();
  const whole = header.length === 80;
  const bits = whole ? new DataView(header.buffer).getUint32(72, true) : 0;
  return [
    ["Its hash leads through the branch of the Merkle tree to the root in the block's header.", toHex(root) === toHex(header.slice(36, 68))],
    ["The header has the hash of this block, and the work that Bitcoin requires.", whole && toHex(own) === hash && bigEndian(own) <= target(bits)],
  ];
}
