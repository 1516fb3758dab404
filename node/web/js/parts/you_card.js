// The reader's mining and pay, for an address that this browser remembers.
import { html, useRef, useState } from "../html.js";
import { get, useApi } from "../api.js";
import { setMe, useMe } from "../me.js";
import { Card, Failed, Loaded } from "./bits.js";
import { Lazy } from "./lazy.js";
import { MiningNow, NextPay, useMiner } from "./mining.js";
import { shortAddress } from "../format.js";

export function You() {
  const address = useMe();
  return html`<${Card} title="You" id="you">${address ? html`<${Mine} address=${address} key=${address} />` : html`<${Ask} />`}</${Card}>`;
}

const connect = () => import("./connect.js");
const devices = () => (import("./more.js"), import("./devices.js"));

/** The address in pasted text, as the node reads it. Throws a Failure that explains what is wrong. */
const addressIn = async (text) => (await get(`/miners/${encodeURIComponent(text)}`)).address;

function Ask() {
  const input = useRef(null);
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const text = input.current.value.trim();
    if (!text) return;
    try {
      setMe(await addressIn(text));
    } catch (failure) {
      setError(failure);
    }
  };
  return html`
    <p>Am I mining, how much will I earn, and when? Enter the payout address that is set in your miner; only this browser stores it.</p>
    <form class="field" onSubmit=${submit}>
      <label class="hidden" for="my-address">Your payout address</label>
      <input id="my-address" ref=${input} placeholder="Your payout address" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength="200" />
      <button type="submit" class="main">Show</button>
    </form>
    ${error && html`<${Failed} error=${error} />`}
    <${Connected} title="I am not mining yet" />
    <p class="fine">The <a href="/calculator">calculator</a> shows what to expect.</p>`;
}

function Connected({ title, address }) {
  const [open, set] = useState(false);
  return html`<details onToggle=${(event) => set(event.target.open)}><summary>${title}</summary>${open && html`<${Lazy} load=${connect} address=${address} />`}</details>`;
}

function Mine({ address }) {
  const miner = useMiner(address);
  // Requested immediately, before the part that shows it is loaded.
  useApi(`/miners/${encodeURIComponent(address)}/shares?limit=100`, ["tip"]);
  return html`
    <p><a href=${`/miners/${address}`} title=${address}><code>${shortAddress(address)}</code></a> <button type="button" class="small" onClick=${() => setMe(null)}>Forget</button></p>
    <${Loaded} from=${miner}>${(data) => html`
      <${MiningNow} address=${address} miner=${miner} />
      <${NextPay} miner=${data} brief />
      ${data.devices?.length > 0 && html`<${Lazy} load=${devices} miner=${data} all=${miner.all} />`}
      <${Connected} title="Connect a device" address=${address} />
      <p class="wide-only"><a href=${`/miners/${address}`}>Everything about this address</a></p>`}
    </${Loaded}>`;
}

