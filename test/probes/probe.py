"""Calls names as Python programs do. README.md has the command line."""

import json
import os
import socket
import sys

LIMIT = 10


def place(target: str, port: str, from_environment: bool) -> tuple[str, int]:
    if not from_environment:
        return target, int(port)
    environment = os.environ
    host = environment[f"{target}_SERVICE_HOST"]
    number = environment.get(f"{target}_PORT_{port}_TCP_PORT") or environment[f"{target}_SERVICE_PORT"]
    return host, int(number)


def call(host: str, port: int) -> dict:
    with socket.create_connection((host, port), timeout=LIMIT) as connection:
        connection.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.decode().partition("\r\n\r\n")
    return {"status": int(head.split()[1]), "body": body}


def probe(target: str, port: str, from_environment: bool) -> dict:
    result = {"target": target, "port": int(port)}
    try:
        host, number = place(target, port, from_environment)
        result["host"] = host
        found = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)
        result["addresses"] = list(dict.fromkeys(address[0] for *_, address in found))
        return result | call(host, number)
    except KeyError as error:
        return result | {"error": f"the variable {error.args[0]} is not set"}
    except (OSError, ValueError, IndexError) as error:
        return result | {"error": f"{type(error).__name__}: {error}"}


def main(arguments: list[str]) -> int:
    from_environment = arguments[:1] == ["--env"]
    targets = arguments[1:] if from_environment else arguments
    if not targets or len(targets) % 2:
        print("usage: probe [--env] NAME PORT ...", file=sys.stderr)
        return 2
    for target, port in zip(targets[::2], targets[1::2]):
        print(json.dumps(probe(target, port, from_environment)), flush=True)
    return 0


sys.exit(main(sys.argv[1:]))
