// A payout proof, from the API's JSON or a file's bytes: section 16 of specs/protocol.md. Pure.
import { concat, fromHex, toHex } from "./bytes.js";

const MAGIC = new TextEncoder().encode("shoalpay\u0001");
const PAYABLE = /^(76a914.{40}88ac|a914.{40}87|0014.{40}|(00|5[1-9a-f]|60)20.{64})$/;

/** An integer in `size` bytes, at most 16, little-endian. */
export function le(value, size) {
  const whole = BigInt(value);
  if (whole < 0n || whole >> BigInt(8 * size)) throw new Error("a number is out of range");
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setBigUint64(0, BigInt.asUintN(64, whole), true);
  bytes.setBigUint64(8, whole >> 64n, true);
  return new Uint8Array(bytes.buffer, 0, size);
}

/** Bytes after their length. */
export const sized = (bytes) => concat(le(bytes.length, 1), bytes);

/** The number that bytes encode, little-endian. */
export const number = (bytes) => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

const many = (items, one, size = 1) => concat(le(items.length, size), ...items.map(one));

/** The bytes of a proof in JSON. */
export function fromJson(proof) {
  if (proof.version !== 1) throw new Error("this page knows version 1 of payout proofs");
  return concat(
    MAGIC, fromHex(proof.consensus_id), sized(fromHex(proof.script)), fromHex(proof.header), many(proof.ancestors, fromHex),
    fromHex(proof.share_header), fromHex(proof.extranonce),
    many(proof.witness_commitment ? [proof.witness_commitment] : [], fromHex), many(proof.merkle_branch, fromHex),
    many(proof.payouts, (out) => concat(le(out.value_sat, 8), sized(fromHex(out.script))), 2),
    fromHex(proof.credits), fromHex(proof.history), fromHex(proof.signals), le(proof.dues, 4), le(proof.exact, 2),
    many(proof.shown, (due) => concat(le(due.index, 4), le(due.weight, 16), sized(fromHex(due.script)))),
    many(proof.siblings, (node) => concat(fromHex(node.hash), le(node.sum, 16))),
  );
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw new Error("the proof ends too early");
    this.at += count;
    return this.bytes.slice(this.at - count, this.at);
  }

  number(size) {
    return number(this.take(size));
  }

  script() {
    const script = toHex(this.take(Number(this.number(1))));
    if (!PAYABLE.test(script)) throw new Error("a script is not one that Shoal pays");
    return script;
  }

  some(most, read, size = 1) {
    const count = Number(this.number(size));
    if (count > most) throw new Error("a count is too large");
    return Array.from({ length: count }, read);
  }
}

function readShare(reader) {
  const from = reader.at;
  if (reader.number(4) !== 2n) throw new Error("the version of the share header is not 2");
  reader.take(98);
  const root = reader.take(32);
  const finder = reader.script();
  reader.take(4);
  const [height, value] = [Number(reader.number(4)), reader.number(8)];
  reader.take(4);
  const nullData = reader.take(Number(reader.number(1)));
  return { bytes: reader.bytes.slice(from, reader.at), root, finder, height, value, nullData };
}

/** Decodes a proof. Scripts are hex; numbers that may be large are BigInt. */
export function decode(bytes) {
  const reader = new Reader(bytes);
  if (toHex(reader.take(9)) !== toHex(MAGIC)) throw new Error("this is not a payout proof of version 1");
  const proof = {
    pool: reader.take(32),
    script: reader.script(),
    header: reader.take(80),
    ancestors: reader.some(8, () => reader.take(80)),
    share: readShare(reader),
    extranonce: reader.take(16),
    witness: reader.some(1, () => reader.take(32)),
    branch: reader.some(14, () => reader.take(32)),
    payouts: reader.some(1024, () => ({ sat: reader.number(8), script: reader.script() }), 2),
    rest: reader.take(152),
    dues: Number(reader.number(4)),
    exact: Number(reader.number(2)),
    shown: reader.some(3, () => ({ index: Number(reader.number(4)), weight: reader.number(16), script: reader.script() })),
    siblings: reader.some(96, () => ({ hash: reader.take(32), sum: reader.number(16) })),
  };
  if (reader.at !== bytes.length) throw new Error("bytes follow the proof");
  return proof;
}
