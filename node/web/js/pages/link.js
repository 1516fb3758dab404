// One link: its status, its list, and the credits in it.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { Card, Copy, Facts, Id, LinkId, Loaded, Notice, Payee, ShareId, Time, Title } from "../parts/bits.js";
import { FromArchive } from "../parts/from_archive.js";
import { Table } from "../parts/table.js";
import { percentPlaces, places } from "../columns.js";
import { count, digits, hashes, percent, plural } from "../format.js";

const LIST = {
  complete: "known and valid",
  waiting: "known, but something that it lists has not arrived",
  missing: "not received yet",
  invalid: "breaks a rule: the link earns as a share, but nothing is built on it",
};

export default function Link({ route }) {
  const id = route.parts[1];
  const answer = useApi(`/links/${encodeURIComponent(id)}`, ["tip"]);
  return html`<${Loaded} from=${answer}>${(link) => html`<${Whole} link=${link} />`}</${Loaded}>${!answer.data && html`<${Title} hidden>Link</${Title}>`}`;
}

function state(link) {
  if (link.height === 0) return ["ok", "Genesis: the share-chain begins here."];
  if (link.is_settled) return ["ok", "It is on the main chain and settled: only a branch that outgrows this one for about three hours would undo it."];
  if (link.is_main) return ["ok", "It is on the main chain. It settles once enough links and Bitcoin blocks are on top of it."];
  return ["warn", "It is on another branch, not on the main chain. It still earns as a share when a link of the main chain lists it in time."];
}

function Whole({ link }) {
  const [level, words] = state(link);
  const earned = [...link.earned].sort((a, b) => b.weight_blocks - a.weight_blocks);
  const part = (row) => row.weight_blocks / (link.earned_total.weight_blocks || 1);
  const [percents, decimals] = [percentPlaces(earned.map(part)), places(earned.map((row) => row.weight_blocks))];
  return html`
    <${Title}>Link ${count(link.height)}</${Title}>
    <p><${Copy} text=${link.id} /></p>
    <${FromArchive} of=${link} />
    <${Notice} level=${level}><p>${words} <a href=${`/chain?to=${link.height + 15}`}>See it in the chain</a></p></${Notice}>
    <div class="cards">
      <${Card} title="The link" id="facts">
        <${Facts} rows=${[
          ["Found by", html`<${Payee} payee=${link.finder} />`],
          ["Work handed out", html`<${Time} at=${link.time_unix_s || null} />`],
          ["Extends", link.height === 0 ? "nothing" : html`<${LinkId} id=${link.parent} />`],
          link.height > 0 && ["As a share", html`<a href=${`/shares/${link.id}`}>its status</a>`],
          ["Work to find it", hashes(link.work_hashes)],
          ["Its list", LIST[link.list_state] ?? link.list_state],
          ["Listed since genesis", count(link.listed_total)],
          ["Bitcoin height", html`${count(link.bitcoin_height)}, on block <${Id} id=${link.prev_hash} />`],
        ]} />
      </${Card}>
      <${Card} title="Requirements for the next link" id="children">
        <${Facts} rows=${[
          ["A share takes", hashes(link.children_share_work_hashes)],
          ["A link takes", hashes(link.children_link_work_hashes)],
          ["Anchor", html`<${LinkId} id=${link.children_anchor} />`],
        ]} />
      </${Card}>
      <${Card} title="Credits" id="earned">
        <p class="fine">For the shares that it lists, and for the link itself.</p>
        <${Table} caption="Earned in this link" rows=${earned} rowKey=${(row) => row.script} empty="None, or it is so deep that this node no longer keeps them." columns=${[
          { head: "Address", cell: (row) => html`<${Payee} payee=${row} />` },
          { head: "Shares", num: true, cell: (row) => count(row.shares) },
          { head: "Blocks of work", num: true, cell: (row) => digits(row.weight_blocks, decimals) },
          { head: "Part", num: true, cell: (row) => percent(part(row), percents) },
        ]} />
      </${Card}>
      <${Card} title=${`It lists ${plural(link.shares_count, "share")}`} id="shares">
        ${link.shares.length === 0 && html`<p class="empty">${link.shares_count === 0 ? "None: no share was waiting. The link itself always counts." : "This node does not have the list."}</p>`}
        <ul class="feed">${link.shares.map((id) => html`<li key=${id}><${ShareId} id=${id} /></li>`)}</ul>
      </${Card}>
    </div>`;
}
