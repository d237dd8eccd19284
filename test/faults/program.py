"""The program that the fault matrix debugs: answers HTTP on the port it is given, and ticks, so that a breakpoint is met without a request."""

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"this computer")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listens", flush=True)
ticks = 0
while True:
    ticks += 1  # stop here
    time.sleep(0.05)
