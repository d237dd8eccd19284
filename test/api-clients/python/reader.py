"""Asks the API server with Kubernetes' Python client, as a program in a pod does. ../README.md has the command line and the answer."""

import argparse
import json
import os
import sys

import urllib3
from kubernetes import client, config
from kubernetes.config.incluster_config import InClusterConfigLoader

# The path that load_incluster_config has built in.
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
LIMIT = 20


class Missing(Exception):
    """What a pod has and this place has not."""


def account_folder() -> str:
    """The folder of the token: at its own path, else beneath KUBERNETES_LOCAL_MOUNTS."""
    for name in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        if not os.environ.get(name):
            raise Missing(f"{name} is not set")
    mounts = os.environ.get("KUBERNETES_LOCAL_MOUNTS")
    looked = [ACCOUNT, *([mounts + ACCOUNT] if mounts else [])]
    for folder in looked:
        if os.path.exists(f"{folder}/token"):
            return folder
    raise Missing(f"there is no token in {' or '.join(looked)}")


def configuration(folder: str) -> client.Configuration:
    found = client.Configuration()
    if folder == ACCOUNT:
        config.load_incluster_config(found)
    else:
        loader = InClusterConfigLoader(token_filename=f"{folder}/token", cert_filename=f"{folder}/ca.crt")
        loader.load_and_set(found)
    # What cannot be reached is told at once.
    found.retries = False
    return found


def read(server_name: str | None) -> dict:
    folder = account_folder()
    found = configuration(folder)
    found.tls_server_name = server_name
    with open(f"{folder}/namespace", encoding="utf-8") as file:
        namespace = file.read()
    with client.ApiClient(found) as api:
        core = client.CoreV1Api(api)
        reviews = client.AuthenticationV1Api(api)
        pods = core.list_namespaced_pod(namespace, _request_timeout=LIMIT)
        settings = core.read_namespaced_config_map("settings", namespace, _request_timeout=LIMIT)
        review = reviews.create_self_subject_review(client.V1SelfSubjectReview(), _request_timeout=LIMIT)
    return {
        "server": found.host,
        "namespace": namespace,
        "pods": sorted(pod.metadata.name for pod in pods.items),
        "configMap": (settings.data or {}).get("GREETING", ""),
        "whoami": review.status.user_info.username,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="reader")
    parser.add_argument("--server-name", help="the name that the API server's certificate is checked for")
    arguments = parser.parse_args()
    try:
        print(json.dumps(read(arguments.server_name)))
        return 0
    except Missing as error:
        print(f"not in a cluster: {error}", file=sys.stderr)
        return 2
    except (client.ApiException, config.ConfigException, urllib3.exceptions.HTTPError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1


sys.exit(main())
