// Decimals of a column, so that its numbers align. Pure.

/** Three digits for the least number above zero, but at most `most` decimals. */
export function places(values, most = 12) {
  const least = values.reduce((found, value) => (value > 0 ? Math.min(found, value) : found), Infinity);
  return least === Infinity ? 2 : Math.min(most, Math.max(0, 2 - Math.floor(Math.log10(least))));
}

/** Decimals of percentages, from parts of 1. */
export const percentPlaces = (parts) => Math.max(1, places(parts.map((part) => part * 100), 4));
