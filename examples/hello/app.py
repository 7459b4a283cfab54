"""Serves the page that the build wrote, and says at /healthz that it is well."""

import os
import pathlib
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = pathlib.Path("index.html").read_bytes()
ANSWERS = {"/": ("text/html; charset=utf-8", PAGE), "/healthz": ("text/plain", b"well\n")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet.
    wbufsize = -1

    def do_GET(self):
        found = ANSWERS.get(self.path)
        kind, body = found or ("text/plain", b"there is no such page\n")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests are not logged: there can be many."""


class Server(ThreadingHTTPServer):
    # The default of 5 refuses connections in a burst.
    request_queue_size = 128
    daemon_threads = True


server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
# `shutdown` waits for the loop to end, so it can't be called from within.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"listening on port {server.server_port}", flush=True)
server.serve_forever()
