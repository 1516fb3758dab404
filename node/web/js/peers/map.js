// Peers around this node: the farther out, the higher the latency; one sector for each group of addresses.
import { html } from "../html.js";
import { plural } from "../format.js";
import { place, RINGS, sectors } from "./places.js";

const R = 165;
const CX = 200;
const CY = 200;
const at = ({ angle, radius }) => ({ x: CX + R * radius * Math.cos(angle), y: CY + R * radius * Math.sin(angle) });

export function PeerMap({ peers, picked, onPick }) {
  const groups = sectors(peers);
  const label = `Map of ${peers.length} peers. ${groups.map((group) => `${group.name}: ${group.peers.length}`).join("; ")}. The table below has all data.`;
  return html`
    <svg class="map" viewBox="0 0 400 400" role="img" aria-label=${label}>
      ${RINGS.map((ring) => html`<circle key=${ring.name} class="ring" cx=${CX} cy=${CY} r=${R * ring.radius} />`)}
      ${groups.length > 1 && groups.map((group) => {
        const end = at({ angle: group.from, radius: 1.06 });
        return html`<line key=${group.name} class="spoke" x1=${CX} y1=${CY} x2=${end.x} y2=${end.y} />`;
      })}
      ${RINGS.map((ring) => html`<text key=${ring.name} class="ring-name" x=${CX + 3} y=${CY - R * ring.radius - 3}>${ring.name}</text>`)}
      <circle class="center" cx=${CX} cy=${CY} r="9" />
      ${groups.map((group) => group.peers.map((peer, i) => html`<${Peer} key=${peer.id} peer=${peer} spot=${at(place(group, i))} picked=${picked === peer.id} onPick=${onPick} />`))}
      ${groups.map((group) => {
        const { x, y } = at({ angle: (group.from + group.to) / 2, radius: 1.12 });
        return html`<text key=${group.name} class="group" x=${x} y=${y + 6} text-anchor="middle">${group.letter}</text>`;
      })}
    </svg>
    <ul class="legend" aria-label="Groups of addresses">${groups.map((group) => html`<li key=${group.name}><b>${group.letter}</b> ${group.name}: ${plural(group.peers.length, "peer")}</li>`)}</ul>`;
}

/** Outbound peers are round, inbound ones square. */
function Peer({ peer, spot, picked, onPick }) {
  const { x, y } = spot;
  const s = 6;
  return html`
    <g onClick=${() => onPick(picked ? null : peer.id)} class="net-hit">
      <title>${peer.agent ?? "a node"}, ${peer.group}, ${peer.latency_ms == null ? "latency not known yet" : `${Math.round(peer.latency_ms)} ms`}</title>
      ${peer.inbound ? html`<rect class="peer-in" x=${x - s} y=${y - s} width=${2 * s} height=${2 * s} />` : html`<circle class="peer-out" cx=${x} cy=${y} r=${s + 1} />`}
      ${picked && html`<circle class="net-pick" cx=${x} cy=${y} r=${s + 6} />`}
    </g>`;
}
