// Parses a coinbase transaction, and checks everything but its payouts by section 5 of specs/protocol.md.
// Pure.
import { concat, fromHex, toHex } from "./bytes.js";

const NAME = new TextEncoder().encode("/shoal/");
const EXTRANONCE = 16;

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw new Error("the coinbase ends too early");
    this.at += count;
    return this.bytes.slice(this.at - count, this.at);
  }

  number(count) {
    return this.take(count).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  compact() {
    const first = Number(this.number(1));
    return first < 0xfd ? first : Number(this.number({ 0xfd: 2, 0xfe: 4, 0xff: 8 }[first]));
  }

  prefixed() {
    return this.take(this.compact());
  }
}

/** Outputs are { sat, script: hex }. Throws an Error with a sentence if the bytes are not a coinbase. */
export function parseCoinbase(hex) {
  const reader = new Reader(fromHex(hex));
  const version = reader.number(4);
  if (reader.compact() !== 1) throw new Error("a coinbase has one input");
  const spends = toHex(reader.take(36));
  const scriptSig = reader.prefixed();
  const sequence = reader.number(4);
  const outputs = [];
  for (let left = reader.compact(); left > 0; left -= 1) outputs.push({ sat: reader.number(8), script: toHex(reader.prefixed()) });
  const locktime = reader.number(4);
  if (reader.at !== reader.bytes.length) throw new Error("bytes follow the coinbase");
  return { version, spends, scriptSig, sequence, outputs, locktime };
}

/** BIP-0034: the height as a script pushes a number. */
export function heightPush(height) {
  if (height === 0) return Uint8Array.of(0);
  if (height <= 16) return Uint8Array.of(0x50 + height);
  const bytes = [];
  for (let left = height; left > 0; left = Math.floor(left / 256)) bytes.push(left % 256);
  if (bytes.at(-1) >= 0x80) bytes.push(0);
  return Uint8Array.of(bytes.length, ...bytes);
}

/** SC-010: OP_RETURN and one push of 1 to 80 bytes in its shortest form. */
function isNullData([, length, ...pushed]) {
  if (length !== 0x4c) return length >= 1 && length <= 75 && pushed.length === length;
  const [long, ...rest] = pushed;
  return long >= 76 && long <= 80 && rest.length === long;
}

/** Checks the frame; returns { checks: [[what, holds]], payouts } with the outputs that pay miners. */
export function checkFrame(coinbase, height) {
  const start = concat(heightPush(height), Uint8Array.of(NAME.length), NAME, Uint8Array.of(EXTRANONCE));
  const { scriptSig } = coinbase;
  const begins = toHex(scriptSig.slice(0, start.length)) === toHex(start) && scriptSig.length === start.length + EXTRANONCE;
  const payouts = [...coinbase.outputs];
  const last = payouts.pop();
  const commits = last !== undefined && last.sat === 0n && last.script.startsWith("6a20") && last.script.length === 68;
  let witness = true;
  if (payouts.at(-1)?.script.startsWith("6a24aa21a9ed")) {
    const output = payouts.pop();
    witness = output.sat === 0n && output.script.length === 76;
  }
  let empty = true;
  if (payouts.at(-1)?.script.startsWith("6a")) {
    const output = payouts.pop();
    empty = output.sat === 0n && isNullData(fromHex(output.script));
  }
  return {
    payouts,
    checks: [
      ["It spends nothing and is of version 2.", coinbase.version === 2n && coinbase.spends === "00".repeat(32) + "ffffffff"],
      ["It begins with the height, /shoal/ and 16 free bytes.", begins],
      ["Sequence and locktime are those that BIP 54 requires.", coinbase.sequence === 0xfffffffen && coinbase.locktime === BigInt(Math.max(0, height - 1))],
      ["Its last output commits to the share and pays nothing.", commits],
      ["Only payouts, at most one output without value, and Bitcoin's witness commitment come before it.", witness && empty && payouts.every((output) => !output.script.startsWith("6a"))],
    ],
  };
}
