"""`make containers`: builds the image of the Containerfile, and runs it as an operator would.

The base is made of Debian's packages, so that no registry of images is needed. The container has a
read-only root, no right and no folder, and its keys from the environment.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx

from server.crypto.keyring import new_secret
from tests.support.clients.client import PASSWORD
from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.servers.image import CONTAINERFILE, instruction
from tests.support.servers.server import ROOT
from tests.support.servers.valkey import ValkeyServer

BASE: Final = "localhost/curfew-base"
IMAGE: Final = "localhost/curfew"
NAME: Final = "curfew-tried"
ORIGIN: Final = "https://app.example"
STARTS_WITHIN: Final = 90.0
OF_PIP: Final = ("/etc/pip.conf", "~/.config/pip/pip.conf", "/etc/ssl/certs")
"""Where this machine says which mirror it uses; the build needs the same."""
LIMITS: Final = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
"""Podman asks for more by default than a container may have that runs this."""


def run(words: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program, and show what it says if it fails."""
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if check and ran.returncode:
        sys.exit(f"{' '.join(words)}\n{ran.stdout}{ran.stderr}")
    return ran


class Images:
    """Images and containers in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        where = [
            "--root",
            f"{folder}/root",
            "--runroot",
            f"{folder}/run",
            "--storage-driver",
            "vfs",
        ]
        self.buildah = ["buildah", *where]
        self.podman = ["podman", *where, "--runtime", "/usr/sbin/runc"]

    def build(self) -> None:
        """Make the base and the image."""
        archive = str(self._folder / "base.tar")
        packages = "--include=python3,python3-venv"
        run(["mmdebstrap", "--quiet", "--variant=minbase", packages, "bookworm", archive])
        run([*self.podman, "import", "-q", archive, BASE])
        files = [
            (str(Path(each).expanduser()), each.replace("~/.config", "/etc/xdg")) for each in OF_PIP
        ]
        mounts = [f"-v={here}:{there}:ro" for here, there in files if Path(here).exists()]
        own = ["--build-arg", f"BASE={BASE}", "-f", str(CONTAINERFILE), "-t", IMAGE]
        how = ["--isolation", "chroot", "--network", "host", "--format", "docker"]
        run([*self.buildah, "bud", *how, *mounts, *own, str(ROOT)])

    def start(self, variables: dict[str, str]) -> "subprocess.Popen[bytes]":
        """Run the image with nothing but these variables."""
        confined = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=all"]
        given = [f"-e={name}" for name in variables]  # a value would stand in the list of processes
        words = [
            "run",
            "--rm",
            "--name",
            NAME,
            "--network",
            "host",
            *LIMITS,
            *confined,
            *given,
            IMAGE,
        ]
        return subprocess.Popen([*self.podman, *words], env=os.environ | variables)

    def within(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container."""
        return run([*self.podman, "exec", NAME, *words], check=False)


def try_image(images: Images, store: ValkeyServer) -> None:
    """Run a container from its start to its stop."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    container = images.start({
        "CURFEW_STORE_URL": store.url, "CURFEW_SECRET_KEYS": new_secret(),
        "CURFEW_ORIGINS": ORIGIN, "CURFEW_TRUSTED_PROXIES": "127.0.0.1", "CURFEW_PORT": str(port),
        "CURFEW_SIGNUP": "open", "CURFEW_DRAIN_NOTICE": "off",
    })  # fmt: skip

    def is_ready() -> bool:
        assert container.poll() is None, "the container ended"
        with suppress(httpx.HTTPError):
            return httpx.get(f"{url}/readyz").status_code == 200
        return False

    try:
        eventually(is_ready, STARTS_WITHIN)
        headers = {"Host": "app.example", "Origin": ORIGIN, "X-Forwarded-For": "203.0.113.7"}
        account = {"username": "ada", "password": PASSWORD}
        assert httpx.post(f"{url}/api/signup", headers=headers, json=account).status_code == 201
        assert images.within("id", "-u").stdout.strip() == instruction("USER").partition(":")[0]
        assert "Read-only" in images.within("touch", "/srv/curfew/x").stderr
        listed = images.within(".venv/bin/python", "run.py", "user", "list").stdout
        assert listed.startswith("ada ")
        healthy = [*images.podman, "healthcheck", "run", NAME]
        assert run(healthy, check=False).returncode == 0
    finally:
        began = time.monotonic()
        run([*images.podman, "stop", "-t", "90", NAME], check=False)
    assert container.wait(90) == 0
    sys.stdout.write(
        f"The container served, and stopped within {time.monotonic() - began:.1f} s.\n"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="curfew-images-") as name:
        made = Images(Path(name))
        made.build()
        with ValkeyServer(tcp=True) as valkey:
            try_image(made, valkey)
