"""A proxy in front of a node's API. It alters answers, or serves pages from a folder instead of the node's.

    proxy.py NODE_URL WEB_FOLDER     serves a folder's pages with a node's data until Ctrl-C, for developing the pages
"""

import gzip
import http.client
import json
import mimetypes
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

# Forwarded headers of a request and of an answer.
ASKED = ("Accept", "Authorization", "Last-Event-ID", "If-None-Match", "Shoal-Pairing-Code")
TOLD = ("Content-Type", "Cache-Control", "ETag", "Content-Security-Policy")
POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; object-src 'none'"
# Smallest answer to compress, in bytes, as in the node.
COMPRESSED_FROM = 1024


class Proxy(ThreadingHTTPServer):
    """Listens on a free port until it is closed. `alter(path, answer)` may change JSON answers."""

    daemon_threads = True

    def __init__(self, node_url, web=None, alter=None, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.node = urlsplit(node_url).netloc
        self.web = Path(web).resolve() if web else None
        self.alter = alter
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Ignores errors: browsers may close connections in the middle of an answer."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urlsplit(self.path).path
        if self.server.web and not path.startswith("/api/"):
            self.file(path)
        else:
            self.hand_on(path)

    def do_POST(self):
        self.hand_on(urlsplit(self.path).path)

    def file(self, path):
        file = (self.server.web / path.lstrip("/")).resolve()
        if not (file.is_relative_to(self.server.web) and file.is_file()):
            file = self.server.web / "index.html"
        kind = mimetypes.guess_type(file.name)[0] or "text/plain"
        self.answer(200, {"Content-Type": kind, "Content-Security-Policy": POLICY}, file.read_bytes())

    def hand_on(self, path):
        line = http.client.HTTPConnection(self.server.node, timeout=90)
        try:
            line.request(self.command, self.path, headers={name: self.headers[name] for name in ASKED if self.headers[name]})
            told = line.getresponse()
            headers = {name: told.headers[name] for name in TOLD if told.headers[name]}
            if headers.get("Content-Type", "").startswith("text/event-stream"):
                self.stream(told, headers)
                return
            body = told.read()
        except ConnectionError:
            # Behave like a stopped node: close the connection.
            self.close_connection = True
            return
        finally:
            line.close()
        if self.server.alter and told.status == 200 and "json" in headers.get("Content-Type", ""):
            body = json.dumps(self.server.alter(path, json.loads(body))).encode()
        self.answer(told.status, headers, body)

    def stream(self, told, headers):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while chunk := told.read1(1 << 16):
            self.wfile.write(chunk)

    def answer(self, status, headers, body):
        if len(body) >= COMPRESSED_FROM and "gzip" in self.headers.get("Accept-Encoding", ""):
            headers = headers | {"Content-Encoding": "gzip"}
            body = gzip.compress(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    with Proxy(sys.argv[1], web=sys.argv[2]) as proxy:
        print(proxy.url, flush=True)
        threading.Event().wait()
