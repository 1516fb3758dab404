// The node's clock, so that "3 s ago" is right on a device whose own clock is wrong.
let aheadS = 0;

/** Sets the node's time, from an answer. */
export function setNodeTime(unixS) {
  aheadS = unixS - Date.now() / 1000;
  // Less than two seconds may be network delay.
  if (Math.abs(aheadS) < 2) aheadS = 0;
}

/** Seconds since 1970 by the node's clock. */
export function nowS() {
  return Date.now() / 1000 + aheadS;
}
