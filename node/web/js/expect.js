// Expected pay of a hashrate, with and without the pool. Pure; averages and spreads, for display.
import { atLeastOne } from "./chance.js";

const HASHES_OF_DIFFICULTY_1 = 2 ** 32;
/** As in the API. */
const MONTH_S = 30 * 86400;
const YEAR_S = 365 * 86400;

/**
 * `hashrateHs` of the reader, `poolHs` of the pool including the reader, `difficulty` of Bitcoin, `shareHashes` per
 * share, `valueSat` of a block, `windowBlocks` of work in the payout window, `tailSat` per lottery output (null without
 * a lottery).
 */
export function expect({ hashrateHs, poolHs, difficulty, shareHashes, valueSat, windowBlocks, tailSat }) {
  const blockHashes = difficulty * HASHES_OF_DIFFICULTY_1;
  const total = Math.max(poolHs, hashrateHs);
  const part = hashrateHs / total;
  const soloBlockS = blockHashes / hashrateHs;
  const poolBlockS = blockHashes / total;
  const dueSat = valueSat * part;
  const drawn = tailSat && dueSat < tailSat ? dueSat / tailSat : 1;
  const windowShares = (windowBlocks * blockHashes * part) / shareHashes;
  const monthSat = (valueSat * MONTH_S) / soloBlockS;
  // Blocks come by chance, the lottery selects some of them, and the shares in the window scatter around the work.
  const soloSpread = 1 / Math.sqrt(MONTH_S / soloBlockS);
  const poolSpread = Math.sqrt((1 / drawn + 1 / Math.max(windowShares, 1e-9)) / (MONTH_S / poolBlockS));
  return {
    part,
    shareS: shareHashes / hashrateHs,
    poolBlockS,
    dueSat,
    drawn,
    windowShares,
    monthSat,
    solo: way(soloBlockS, soloSpread, monthSat),
    pool: way(poolBlockS / drawn / atLeastOne(windowShares), poolSpread, monthSat),
  };
}

/** `paidS` is the average time between payments; `low` and `high` are the bounds of the 68% range. */
function way(paidS, spread, monthSat) {
  return {
    paidS,
    month: atLeastOne(MONTH_S / paidS),
    year: atLeastOne(YEAR_S / paidS),
    spread,
    lowSat: Math.max(0, monthSat * (1 - spread)),
    highSat: monthSat * (1 + spread),
  };
}
