// One stream of live events for all tabs of this node: browsers allow six connections to a host, and each tab's own
// stream would occupy one of them permanently.
const TYPES = ["hello", "share", "link", "tip", "block", "status", "log", "reset"];
const ANEW_MS = [2000, 5000, 10000, 20000];
const ports = new Set();
let source = null;
let failures = 0;
let timer = 0;

const tell = (message) => ports.forEach((port) => port.postMessage(message));

function open() {
  source = new EventSource("/api/v1/events");
  source.onopen = () => {
    failures = 0;
    tell({ kind: "open" });
  };
  source.onerror = () => {
    // The browser resumes automatically, unless the answer was not a stream.
    const closed = source.readyState === EventSource.CLOSED;
    tell({ kind: "error", closed });
    if (!closed) return;
    timer = setTimeout(open, ANEW_MS[Math.min(failures, ANEW_MS.length - 1)]);
    failures += 1;
  };
  for (const type of TYPES) source.addEventListener(type, (event) => tell({ kind: "event", type, data: event.data }));
}

function leave(port) {
  ports.delete(port);
  if (ports.size > 0) return;
  clearTimeout(timer);
  source?.close();
  source = null;
}

globalThis.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data === "leave") leave(port);
    if (data !== "join") return;
    ports.add(port);
    if (source === null) open();
    else if (source.readyState === EventSource.OPEN) port.postMessage({ kind: "open" });
  };
};
