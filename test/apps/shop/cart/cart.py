"""The cart of the sample shop.

It keeps what a user wants to buy in Redis, asks the prices service what that costs, and answers as JSON:

    GET  /                       the cart of the user "demo"       (also /?user=NAME)
    POST /items?name=NAME        puts one more NAME into it        (also &user=NAME)
    GET  /environment            what this program got from its surroundings, without the secrets
    GET  /health                 for the probes

It knows nothing of kubernetes-local except the one variable that tells where it runs.
"""

import json
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import redis

PORT = int(os.environ.get("PORT", "8080"))
PRICES = os.environ.get("PRICES_URL", "http://prices/")
TERMS = Path(os.environ.get("CART_TERMS", "/etc/cart/terms.txt"))
DEMO_ITEMS = {"Espresso": 2, "Croissant": 1, "Orange juice": 1}

store = redis.Redis(host=os.environ.get("REDIS_HOST", "redis"), port=6379, decode_responses=True, socket_timeout=5)


def show_cart(user):
    """Everything the shop shows about one user's cart."""
    items = read_items(user)
    price_list = ask_prices(items)
    prices = price_list["cents"]
    total = checkout_total(items, prices)
    lines = [
        {"name": name, "quantity": quantity, "cents": prices.get(name, 0) * quantity}
        for name, quantity in sorted(items.items())
    ]
    return {
        "user": user,
        "greeting": os.environ.get("GREETING", ""),
        "items": lines,
        "totalCents": total,
        "currency": price_list["currency"],
        "cartServedBy": whereabouts(),
        "pricesServedBy": price_list["servedBy"],
        "terms": TERMS.read_text() if TERMS.exists() else "",
    }


def checkout_total(items, prices):
    """What all items cost together, in cents."""
    total = 0
    for name, quantity in items.items():
        total += prices.get(name, 0) * quantity
    return total


def read_items(user):
    """The items of a user with their quantities; a new user gets something to look at."""
    key = f"cart:{user}"
    if not store.exists(key):
        store.hset(key, mapping=DEMO_ITEMS)
    return {name: int(quantity) for name, quantity in store.hgetall(key).items()}


def add_item(user, name):
    read_items(user)
    store.hincrby(f"cart:{user}", name, 1)


def ask_prices(items):
    """What the prices service says about the items: {"cents": {NAME: CENTS}, "currency": …, "servedBy": …}."""
    query = urlencode([("item", name) for name in items])
    with urlopen(f"{PRICES}?{query}", timeout=5) as answer:
        return json.load(answer)


def whereabouts():
    """Which pod or computer this program runs on."""
    host = socket.gethostname()
    if "KUBERNETES_LOCAL_SESSION" in os.environ:
        return f"this computer: {host}"
    return f"{host} in the cluster"


def describe_environment():
    token = os.environ.get("PAYMENT_TOKEN", "")
    return {
        "servedBy": whereabouts(),
        "GREETING": os.environ.get("GREETING"),
        "POD_NAME": os.environ.get("POD_NAME"),
        "POD_NAMESPACE": os.environ.get("POD_NAMESPACE"),
        "DISPLAY_NAME": os.environ.get("DISPLAY_NAME"),
        "MEMORY_LIMIT": os.environ.get("MEMORY_LIMIT"),
        "FEATURES": {name: value for name, value in sorted(os.environ.items()) if name.startswith("FEATURE_")},
        "PAYMENT_TOKEN": f"{len(token)} characters",
        "terms": TERMS.exists(),
        "serviceAccountToken": Path("/var/run/secrets/kubernetes.io/serviceaccount/token").exists(),
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        user = parse_qs(url.query).get("user", ["demo"])[0]
        if url.path == "/health":
            self.answer({"status": "ok"})
        elif url.path == "/environment":
            self.answer(describe_environment())
        elif url.path == "/":
            self.answer(show_cart(user))
        else:
            self.answer({"error": f"nothing at {url.path}"}, status=404)

    def do_POST(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        user = query.get("user", ["demo"])[0]
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if url.path == "/items" and "name" in query:
            add_item(user, query["name"][0])
            self.answer(show_cart(user))
        else:
            self.answer({"error": "POST /items?name=NAME"}, status=404)

    def answer(self, body, status=200):
        content = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *arguments):
        if self.path != "/health":
            print(f"{self.address_string()} {format % arguments}", flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    # Process 1 of a container is not ended by a signal it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Server(("", PORT), Handler)
    print(f"cart listens on port {PORT}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
