// What a block found now would pay an address, and how certain that is. Pure; for display, so rounded numbers suffice.

/**
 * `miner` is the answer about the address. Returns { kind, value_sat, expected_sat, probability, payment_sat, drawn }:
 * `kind` is "unknown", "alone" (the finder gets everything), "none", "exact" or "drawn"; `drawn` is true if the lottery
 * for a block on today's tip selects the address.
 */
export function estimate(miner) {
  const next = miner.next_block;
  if (!next) return { kind: "unknown" };
  const { value_sat, expected_sat, drawn_sat } = next;
  if (expected_sat == null) return { kind: "alone", value_sat };
  if (next.exact) return { kind: "exact", value_sat, expected_sat, probability: 1, payment_sat: drawn_sat };
  if (expected_sat === 0 && !drawn_sat) return { kind: "none", value_sat, expected_sat };
  // All winners of the lottery are paid the same: more work means more wins, not more per win.
  const draws = next.draws_expected;
  const payment_sat = draws ? expected_sat / draws : null;
  return { kind: "drawn", value_sat, expected_sat, probability: draws == null ? null : Math.min(1, draws), payment_sat, drawn: drawn_sat > 0 };
}
