// What to enter in a miner: URL, user name, and a code to scan.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { Copy, Facts, Loaded } from "./bits.js";

const isLoopback = (name) => /^(localhost|127\.|\[::1\])/.test(name);

/** Devices reach the node by the same name as this browser, unless that name means this machine. */
function urlsOf(mining) {
  const { hostname } = location;
  const byName = `stratum+tcp://${hostname}:${mining.port}`;
  const known = mining.urls.some(({ url }) => url === byName);
  return isLoopback(hostname) || mining.this_machine_only || known ? mining.urls : [{ url: byName }, ...mining.urls];
}

export default function Connect({ address }) {
  const mining = useApi("/mining");
  return html`<${Loaded} from=${mining}>${(data) => html`<${Entries} mining=${data} urls=${urlsOf(data)} address=${address} />`}</${Loaded}>`;
}

function Entries({ mining, urls, address }) {
  const open = useApi("/status").data?.public;
  const code = urls.find((one) => one.qr_path);
  return html`
    ${mining.this_machine_only && html`<p><strong>Only programs on this machine can connect:</strong> set <code>stratum.listen</code> to 0.0.0.0:${mining.port} for devices on your network.</p>`}
    <${Facts} rows=${[
      ["URL", urls.map(({ url }) => html`<div key=${url}><${Copy} text=${url} /></div>`)],
      ...(mining.v2_urls.length > 0 ? [["URL, Stratum v2", mining.v2_urls.map(({ url }) => html`<div key=${url}><${Copy} text=${url} /></div>`)]] : []),
      ["User name", html`<${Copy} text=${`${address ?? "ADDRESS"}.WORKER`} /> <span class="fine">${address ? "" : "your own Bitcoin address, a dot, "}any name for the device${mining.default_address ? `; without an address, ${mining.default_address} is paid` : ""}. To split the work: <code>ADDRESS1:70,ADDRESS2:30.WORKER</code></span>`],
      ...(mining.fee ? [["Fee", html`${mining.fee.percent}% of the work pays this node's owner, <span class="breakable">${mining.fee.address}</span> <span class="fine">by one job in ${Math.round(100 / mining.fee.percent)}</span>`]] : []),
      ["Password", html`<code>${mining.password}</code> <span class="fine">or any text; there are no accounts</span>`],
    ]} />
    ${open === false && html`<p class="fine">To see each of your devices on the home page, open the link that <code>shoal pair</code> prints on the node's machine.</p>`}
    ${code && html`<figure class="qr"><svg viewBox=${`-4 -4 ${code.qr_size + 8} ${code.qr_size + 8}`} role="img" aria-label=${`QR code of ${code.url}`}><path d=${code.qr_path} /></svg><figcaption class="fine">${code.url}</figcaption></figure>`}`;
}
