// The nodes that this one is connected to, without their addresses.
import { html, useState } from "../html.js";
import { useApi } from "../api.js";
import { Bar, Card, Choice, Facts, Id, Loaded, Notice, Tag, Title } from "../parts/bits.js";
import { PeerMap } from "../peers/map.js";
import { Table } from "../parts/table.js";
import { count, digits, duration, percent, plural } from "../format.js";

/** Peers report their height only from time to time, so a few links of difference mean nothing. */
const BEHIND_LINKS = 30;

const ORDERS = {
  latency: ["Fastest first", (a, b) => (a.latency_ms ?? Infinity) - (b.latency_ms ?? Infinity)],
  connected: ["Longest connected first", (a, b) => b.connected_s - a.connected_s],
  group: ["By group", (a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0)],
};

/** Advice for the owner. */
const HINTS = {
  none: "It still works, since it connects to others itself. To help connect the pool, open TCP and UDP port 3381 in the router.",
  relay: "Other nodes reach it through a relay, then connect directly where the routers allow it. To be reached without a relay, open TCP and UDP port 3381 in the router.",
};

const LINES = { tcp: "TCP", quic: "QUIC", relay: "relay", onion: "onion service" };

export default function Peers() {
  const answer = useApi("/peers", ["tip"]);
  const status = useApi("/status", ["tip"]);
  const [picked, pick] = useState(null);
  const [order, setOrder] = useState("latency");
  return html`
    <${Title}>Peers</${Title}>
    <p class="lead">The nodes that this one is connected to. Their addresses are visible only with the node's token; everyone else sees only which of them are near each other.</p>
    <${Loaded} from=${answer}>${({ peers, reachable }) => html`
      <div class="cards">
        <${Card} title=${plural(peers.length, "peer")} id="map">
          ${peers.length === 0 ? html`<${Notice} level="warn"><p><strong>No other node is connected.</strong> Name at least one in p2p.peers of the configuration, and check that it can be reached.</p></${Notice}>` : html`
            <${PeerMap} peers=${peers} picked=${picked} onPick=${pick} />
            <p class="fine">This node is in the middle; peers farther out have a higher latency. ● outbound, ■ inbound. Sectors are groups of addresses.</p>
            <div aria-live="polite">${picked && html`<${Picked} peer=${peers.find((peer) => peer.id === picked)} />`}</div>`}
        </${Card}>
        <${Card} title="Reachability" id="reach">
          <p>Reached by other nodes: <strong>${reachable.words}</strong>.</p>
          ${HINTS[reachable.how] && html`<p class="fine">${HINTS[reachable.how]}</p>`}
          ${reachable.addresses.length > 0 && html`<ul>${reachable.addresses.map((address) => html`<li key=${address}><code class="whole">${address}</code></li>`)}</ul>`}
        </${Card}>
        <${Card} title="Versions and upgrades" id="versions">
          <${Versions} peers=${peers} own=${status.data?.version} />
          <${Loaded} from=${status} quiet>${({ upgrades }) => html`<${Upgrades} upgrades=${upgrades} />`}</${Loaded}>
        </${Card}>
        <${Card} title="All peers" id="all" wide more=${html`<${Choice} label="Order" value=${order} onChange=${setOrder} options=${Object.entries(ORDERS).map(([key, [name]]) => [key, name])} />`}>
          <${All} peers=${[...peers].sort(ORDERS[order][1])} height=${status.data?.height} />
        </${Card}>
      </div>`}
    </${Loaded}>`;
}

const latency = (peer) => (peer.latency_ms == null ? "not known yet" : peer.latency_ms < 1 ? "below 1 ms" : `${digits(peer.latency_ms)} ms`);

const Picked = ({ peer }) => peer && html`
  <${Facts} rows=${[["Peer", html`<code class="whole">${peer.id}</code>`], ["Group", peer.group], ["Latency", latency(peer)], peer.address && ["Address", html`<code class="whole">${peer.address}</code>`], ["Program", peer.agent ?? "unknown"]]} />`;

function Versions({ peers, own }) {
  const agents = new Map();
  for (const peer of peers) agents.set(peer.agent ?? "unknown", (agents.get(peer.agent ?? "unknown") ?? 0) + 1);
  const rows = [...agents].sort((a, b) => b[1] - a[1]);
  return html`
    <p>This node runs shoal ${own ?? "…"}.</p>
    <ul class="bars">${rows.map(([agent, n]) => html`<li key=${agent}><span>${agent}</span><b>${plural(n, "peer")}</b><${Bar} part=${n / peers.length} label=${`Peers with ${agent}`} /></li>`)}</ul>`;
}

/** Consecutive periods with at least half of the links; 12 that average 90%, or 120 that average 75%, bring an upgrade to its next stage. */
const good = (upgrade) => plural(upgrade.good_periods, "good period");

function upgradeState(upgrade) {
  if (upgrade.state === "active") return `active from link ${count(upgrade.active_from_height)}`;
  if (upgrade.state === "locked_in") return `locked in at link ${count(upgrade.locked_in_height)}, ${good(upgrade)} since`;
  return `${percent(upgrade.signalled)} of this period's links, after ${good(upgrade)}`;
}

function Upgrades({ upgrades }) {
  if (upgrades.length === 0) return html`<h3>Upgrades of the rules</h3><p>Miners signal no upgrade now. An upgrade becomes active only after 90% of the links have signaled it for more than five days, or 75% for eight weeks.</p>`;
  return html`
    <h3>Upgrades of the rules</h3>
    <ul class="bars">${upgrades.map((upgrade) => html`
      <li key=${upgrade.bit}><span>Bit ${upgrade.bit}: ${upgrade.known ? "known to this program" : html`<strong>not known to this program: a newer one is needed</strong>`}</span>
        <b>${upgradeState(upgrade)}</b>
        ${upgrade.signalled != null && html`<${Bar} part=${upgrade.signalled} label=${`Links that signal bit ${upgrade.bit}`} />`}</li>`)}
    </ul>`;
}

const All = ({ peers, height }) => html`
  <${Table} caption="Peers" rows=${peers} rowKey=${(peer) => peer.id} empty="None is connected now." columns=${[
    { head: "Peer", cell: (peer) => html`<${Id} id=${peer.id} />${peer.address && html`<br /><code class="whole fine">${peer.address}</code>`}` },
    { head: "Group", cell: (peer) => peer.group },
    { head: "Latency", num: true, cell: latency },
    { head: "Line", cell: (peer) => `${LINES[peer.transport] ?? peer.transport}, ${peer.inbound ? "inbound" : "outbound"}` },
    { head: "Program", cell: (peer) => peer.agent ?? "unknown" },
    { head: "Link height", num: true, cell: (peer) => (peer.height == null ? "unknown" : html`${count(peer.height)}${height != null && peer.height < height - BEHIND_LINKS ? html` <${Tag} tone="warn">behind</${Tag}>` : ""}`) },
    { head: "Connected for", num: true, cell: (peer) => duration(peer.connected_s) },
    { head: "Misbehaved", num: true, cell: (peer) => (peer.points === 0 ? "never" : `${count(peer.points)} of 100 points`) },
  ]} />`;
