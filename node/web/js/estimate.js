// What a block found now would pay an address, and how sure that is. Pure; for people, so rounded numbers are good enough.

/** The remainder of the division goes to the first output: up to a satoshi for each. */
const REMAINDER_SAT = 48;

/**
 * `miner` is the answer about the address, `outputs` are those of the next block. Gives { kind, value_sat, expected_sat,
 * probability, payment_sat }: `kind` is "unknown", "alone" (whoever finds it gets all), "none", "exact" or "drawn".
 */
export function estimate(miner, outputs) {
  const next = miner.next_block;
  if (!next) return { kind: "unknown" };
  const value_sat = next.value_sat;
  if (next.expected_sat == null) return { kind: "alone", value_sat };
  if (next.expected_sat === 0 && !next.drawn_sat) return { kind: "none", value_sat, expected_sat: 0 };
  const expected_sat = next.expected_sat;
  if (next.drawn_sat && Math.abs(next.drawn_sat - expected_sat) <= REMAINDER_SAT) {
    return { kind: "exact", value_sat, expected_sat, probability: 1, payment_sat: next.drawn_sat };
  }
  // Everybody in the tail is paid the same: the amount of the last output.
  const payment_sat = next.drawn_sat || outputs?.at(-1)?.value_sat || null;
  const probability = payment_sat ? Math.min(1, expected_sat / payment_sat) : null;
  return { kind: "drawn", value_sat, expected_sat, probability, payment_sat, drawn: next.drawn_sat > 0 };
}
