"""The files for containers fit the code. `make containers` builds the image, and runs it.

The server runs here as the image starts it, with its variables and as its user would see it: there
is no folder that it can write in.
"""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from handlers.serving.drain import LAST_STEPS
from run import STOP_SLACK
from server.crypto.keyring import new_secret
from server.supervisor import KILL_SECONDS
from settings import Settings, load_settings, names_of_settings
from tests.docs.markdown import blocks, page
from tests.support.clients.client import PASSWORD
from tests.support.servers import image
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.valkey import ValkeyServer

DEPLOY = ROOT / "examples" / "deploy"
PAGE = page("docs/howto/run-in-containers.md")
NOWHERE = "/proc/nowhere"
"""A folder that nobody can make, as on a read-only root."""


class OfImage(CurfewServer):
    """A server that the image's entrypoint starts, in this project's folder."""

    @property
    def environment(self) -> dict[str, str]:
        """Return what the image and the test set."""
        return super().environment | image.variables() | {"CURFEW_DATA_DIR": NOWHERE}


def test_the_image_needs_no_folder_serves_both_families_and_says_when_it_lives(
    valkey: ValkeyServer,
) -> None:
    valkey.flush()
    server = OfImage(
        store_url=valkey.url, secret_keys=new_secret(), trusted_proxies="127.0.0.1", signup="open"
    )
    *server.launcher, python, program = image.entrypoint()
    assert (python, program) == (".venv/bin/python", "run.py")
    with server:
        assert (
            f"It has no data folder, and needs none: {NOWHERE} cannot be written in." in server.log
        )
        headers = {"Origin": server.url, "X-Forwarded-For": "203.0.113.7"}
        with httpx.Client(base_url=server.url, headers=headers) as client:
            account = {"username": "ida", "password": PASSWORD}
            assert client.post("/api/signup", json=account).status_code == 201
            assert client.post("/api/login", json=account).status_code == 200
            if socket.has_dualstack_ipv6():
                assert httpx.get(f"http://[::1]:{server.port}/readyz").status_code == 200
            for path in probed_paths():
                assert client.get(path, headers={"Host": "10.244.1.7:8888"}).status_code == 200
        assert is_healthy(server)
        assert server.stop() == 0
        assert not is_healthy(server)


def is_healthy(server: CurfewServer) -> bool:
    """Return what the image's health check says."""
    words, environment = image.health_check(), server.environment
    ran = subprocess.run(words, cwd=ROOT, env=environment, check=False, capture_output=True)
    return ran.returncode == 0


def test_a_folder_that_is_needed_must_be_there(valkey: ValkeyServer) -> None:
    """Its keys, or its store, would be in it."""
    with_own_keys = CurfewServer(data_dir=NOWHERE, store_url=valkey.url)
    for server in (with_own_keys, CurfewServer(data_dir=NOWHERE, secret_keys=new_secret())):
        with pytest.raises(AssertionError, match=r"CURFEW_DATA_DIR: .* cannot be used"), server:
            pass


def kubernetes(kind: str) -> Any:
    """Return the only object of a kind in the file."""
    text = (DEPLOY / "kubernetes" / "curfew.yaml").read_text(encoding="utf-8")
    (found,) = [each for each in yaml.safe_load_all(text) if each["kind"] == kind]
    return found


def pod() -> Any:
    """Return what the Deployment starts."""
    return kubernetes("Deployment")["spec"]["template"]["spec"]


def probed_paths() -> list[str]:
    """Return what the kubelet asks."""
    (container,) = pod()["containers"]
    probes = [probe["httpGet"] for name, probe in container.items() if name.endswith("Probe")]
    assert {probe["port"] for probe in probes} == {container["ports"][0]["name"]}
    assert len(probes) == 3
    return [probe["path"] for probe in probes]


def settings_of(variables: dict[str, str], tmp_path: Path) -> Settings:
    """Return the settings of a container, with a store and keys."""
    keys = tmp_path / "secret_keys"
    keys.write_text(new_secret())
    keys.chmod(0o600)
    own = {"CURFEW_STORE_URL": "rediss://curfew:x@store", "CURFEW_SECRET_KEYS_FILE": str(keys)}
    return load_settings(image.variables() | variables | own)


def longest_stop(settings: Settings) -> float:
    """Return how many seconds a stop may take without a store of its own."""
    return LAST_STEPS + settings.running.longest_drain.total_seconds() + STOP_SLACK + KILL_SECONDS


def test_the_deployment_fits_the_image_and_the_code(tmp_path: Path) -> None:
    (container,) = pod()["containers"]
    (port,) = container["ports"]
    assert str(port["containerPort"]) == image.instruction("EXPOSE")
    assert pod()["securityContext"]["runAsUser"] == int(image.instruction("USER").split(":")[0])
    named = {each["name"]: each.get("value", "") for each in container["env"]}
    assert named.keys() <= names_of_settings()
    settings = settings_of(named, tmp_path)
    assert settings.port == port["containerPort"]
    assert not settings.needs_folder
    assert pod()["terminationGracePeriodSeconds"] >= longest_stop(settings)
    waited = (
        container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"]
    )
    assert waited > settings.store_wait.total_seconds() + 2 * settings.node_lease.total_seconds()
    ready = container["readinessProbe"]
    assert settings.running.drain_notice.total_seconds() > ready["periodSeconds"]
    budget = kubernetes("PodDisruptionBudget")["spec"]
    assert budget["minAvailable"] < kubernetes("Deployment")["spec"]["replicas"]
    labels = kubernetes("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"] == labels == kubernetes("Service")["spec"]["selector"]


def test_the_services_of_compose_fit_the_image_and_the_code(tmp_path: Path) -> None:
    folder = DEPLOY / "container"
    compose = yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8"))
    replicas = [compose["services"][name] for name in ("one", "two")]
    for each in replicas:
        assert each["environment"].keys() <= names_of_settings()
        settings = settings_of(each["environment"], tmp_path)
        assert float(each["stop_grace_period"].rstrip("s")) >= longest_stop(settings)
        assert each["read_only"] is True
        assert (folder / each["build"]["context"]).resolve() == ROOT
        assert (ROOT / each["build"]["dockerfile"]).is_file()
    (network,) = compose["networks"]["front"]["ipam"]["config"]
    assert str(settings.trusted_proxies[0]) == network["subnet"]
    assert compose["networks"]["store"] == {"internal": True}
    caddy = (folder / "Caddyfile").read_text(encoding="utf-8")
    assert f"reverse_proxy one:{settings.port} two:{settings.port} " in caddy


def test_the_secrets_of_compose_fit_its_store(tmp_path: Path) -> None:
    (text,) = [each.text for each in blocks(PAGE, "sh") if each.name == "compose"]
    text = text.replace("../../../.venv/bin/python", sys.executable)
    text = text.replace("../../../run.py", str(ROOT / "run.py"))
    # The test itself asks whether the store runs, without a password.
    text = text.replace("user default off", "user default on nopass ~* +@all")
    subprocess.run(["sh", "-eu", "-c", text], cwd=tmp_path, check=True)
    keys, users, store = (
        tmp_path / "secrets" / name for name in ("secret_keys", "users.acl", "store.env")
    )
    name, _, url = store.read_text().strip().partition("=")
    assert name == "CURFEW_STORE_URL"
    with ValkeyServer(tcp=True, aclfile=str(users)) as valkey:
        here = url.replace("@valkey", f"@127.0.0.1:{valkey.port}")
        with CurfewServer(store_url=here, secret_keys_file=str(keys)) as server:
            assert httpx.get(f"{server.url}/readyz").status_code == 200
