// The API's OpenAPI document, formatted for readers.
import { html } from "../html.js";
import { useApi } from "../api.js";
import { Loaded, Tag, Title } from "../parts/bits.js";
import { Opened } from "../parts/more.js";
import { Table } from "../parts/table.js";
import { fields, schemaOf, typeName } from "../openapi.js";

export default function ApiDocs() {
  const answer = useApi("/openapi.json");
  return html`
    <${Title}>API</${Title}>
    <p class="lead">All these pages come from one HTTP API, which your programs may use, too. Its <a href="/api/v1/openapi.json">OpenAPI 3.1 document</a> is generated from the node's code.</p>
    <section class="card" aria-labelledby="rules"><h2 id="rules">Common rules</h2>
      <ul>
        <li>Names end in their units: <code>_s</code> seconds, <code>_unix_s</code> seconds since 1970, <code>_sat</code> satoshi, <code>_hs</code> hashes per second, <code>_bytes</code>.</li>
        <li>Integers that may exceed 53 bits come as decimal strings. Ids and hashes are hex, in the order in which Bitcoin shows them.</li>
        <li>Lists come in pages: <code>limit</code> sets the length, and <code>from</code> takes the <code>next_from</code> of the previous page; null means that it was the last.</li>
        <li>Every error is <code>{"error": "one sentence"}</code>.</li>
        <li><a href="/api/v1/events">/api/v1/events</a> streams live updates as server-sent events, which <code>Last-Event-ID</code> resumes.</li>
      </ul>
    </section>
    <section class="card" aria-labelledby="routes"><h2 id="routes">Routes</h2>
      <${Loaded} from=${answer}>${(document) => Object.entries(document.paths).map(([path, item]) => Object.entries(item).map(([method, operation]) => html`<${Operation} key=${method + path} path=${path} method=${method} operation=${operation} document=${document} />`))}</${Loaded}>
    </section>`;
}

/** Text in which `backticks` mark code. */
const Prose = ({ text }) => (text ?? "").split("`").map((part, i) => (i % 2 === 1 ? html`<code class="whole">${part}</code>` : part));

function Operation({ path, method, operation, document }) {
  const plain = !path.includes("{");
  return html`
    <${Opened} name="operation" summary=${html`<${Tag} tone="good">${method.toUpperCase()}</${Tag}> <code>${path}</code> <span class="fine"><${Prose} text=${operation.summary} /></span>`}>${() => html`
      <div>
        ${operation.description && html`<p><${Prose} text=${operation.description} /></p>`}
        ${plain && html`<p><a href=${path}>Try it</a></p>`}
        ${operation.parameters?.length > 0 && html`<h3>Parameters</h3><${Parameters} parameters=${operation.parameters} document=${document} />`}
        <h3>Answers</h3>
        ${Object.entries(operation.responses ?? {}).map(([code, response]) => html`<${Answer} key=${code} code=${code} response=${response} document=${document} />`)}
      </div>`}
    </${Opened}>`;
}

const Parameters = ({ parameters, document }) => html`
  <${Table} caption="Parameters" rows=${parameters} rowKey=${(p) => p.name} columns=${[
    { head: "Name", cell: (p) => html`<code>${p.name}</code>` },
    { head: "In", cell: (p) => p.in },
    { head: "Type", cell: (p) => typeName(p.schema, document) },
    { head: "Meaning", cell: (p) => html`<${Prose} text=${p.description} />${p.required ? "" : " (optional)"}` },
  ]} />`;

function Answer({ code, response, document }) {
  const schema = schemaOf(response);
  const rows = schema ? fields(schema, document) : [];
  return html`
    <p><strong>${code}</strong> <${Prose} text=${response.description} /></p>
    ${code === "200" && rows.length > 0 && html`<${Table} caption="Fields" rows=${rows} rowKey=${(row) => row.name} columns=${[
      { head: "Field", cell: (row) => html`<code class="field">${row.name}</code>` },
      { head: "Type", cell: (row) => row.type },
      { head: "Meaning", cell: (row) => html`<${Prose} text=${row.about} />` },
    ]} />`}`;
}
