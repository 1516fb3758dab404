// The reader's own payout address, remembered in this browser only.
import { useEffect, useState } from "./html.js";

const KEY = "shoal.address";
const users = new Set();
let address = readAddress();

function readAddress() {
  try {
    return localStorage.getItem(KEY) || null;
  } catch {
    return null;
  }
}

export function setMe(next) {
  address = next || null;
  try {
    if (address) localStorage.setItem(KEY, address);
    else localStorage.removeItem(KEY);
  } catch {
    // Then it is remembered only while this page stays open.
  }
  for (const user of users) user(address);
}

export function useMe() {
  const [now, set] = useState(address);
  useEffect(() => {
    users.add(set);
    return () => users.delete(set);
  }, []);
  return now;
}
