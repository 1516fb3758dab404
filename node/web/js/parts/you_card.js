// Am I mining, how much will I get, and when? For an address that this browser remembers.
import { html, useRef, useState } from "../html.js";
import { get, useApi } from "../api.js";
import { setMe, useMe } from "../me.js";
import { Card, Failed, Loaded } from "./bits.js";
import { MiningNow, NextPay } from "./mining.js";
import { shortAddress } from "../format.js";

export function You() {
  const address = useMe();
  return html`<${Card} title="You" id="you">${address ? html`<${Mine} address=${address} key=${address} />` : html`<${Ask} />`}</${Card}>`;
}

/** Throws a Failure that says what is wrong with an address. */
async function check(text) {
  const { found } = await get(`/search?q=${encodeURIComponent(text)}`);
  // Only the miner's own answer says why it is none.
  if (!found.some((item) => item.kind === "miner")) await get(`/miners/${encodeURIComponent(text)}`);
}

function Ask() {
  const input = useRef(null);
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const text = input.current.value.trim();
    if (!text) return;
    try {
      await check(text);
      setMe(text);
    } catch (failure) {
      setError(failure);
    }
  };
  return html`
    <p>Am I mining, how much will I get, and when? Give the address that your miner is set to; this browser remembers it and nobody else is told.</p>
    <form class="field" onSubmit=${submit}>
      <label class="hidden" for="my-address">Your payout address</label>
      <input id="my-address" ref=${input} placeholder="Your payout address" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength="120" />
      <button type="submit" class="main">Show</button>
    </form>
    ${error && html`<${Failed} error=${error} />`}
    <details><summary>I am not mining yet</summary>
      <p>Point your miner at this node: URL <code>stratum+tcp://${location.hostname}:3333</code> (unless its operator chose another port), user <code>ADDRESS.NAME</code> with your own Bitcoin address, any password. There is nothing to sign up for. The <a href="/calculator">calculator</a> says what to expect.</p>
    </details>`;
}

function Mine({ address }) {
  const miner = useApi(`/miners/${encodeURIComponent(address)}`, ["tip"]);
  return html`
    <p><a href=${`/miners/${address}`} title=${address}><code>${shortAddress(address)}</code></a> <button type="button" class="small" onClick=${() => setMe(null)}>Forget</button></p>
    <${Loaded} from=${miner}>${(data) => html`
      <${MiningNow} address=${address} />
      <${NextPay} miner=${data} />
      <p><a href=${`/miners/${address}`}>Everything about this address</a></p>`}
    </${Loaded}>`;
}

