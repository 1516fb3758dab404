// Whether a found block is in Bitcoin's chain.
import { html } from "../html.js";
import { Tag } from "./bits.js";
import { count } from "../format.js";

/** Confirmations needed to spend a coinbase: its own block's, and those of 100 blocks on top. */
export const MATURE = 101;

export function blockState(block) {
  if (block.bitcoind?.verdict === "rejected") return "refused";
  if (block.confirmations === 0) return "orphaned";
  return block.confirmations >= MATURE ? "mature" : "confirmed";
}

export function BlockState({ block }) {
  const state = blockState(block);
  if (state === "refused") return html`<${Tag} tone="bad">rejected by Bitcoin</${Tag}>`;
  if (state === "orphaned") return html`<${Tag} tone="bad">not in Bitcoin's chain</${Tag}>`;
  if (state === "mature") return html`<${Tag} tone="good">spendable</${Tag}>`;
  return html`<${Tag} tone="warn">${count(block.confirmations)} of ${MATURE} confirmations</${Tag}>`;
}
