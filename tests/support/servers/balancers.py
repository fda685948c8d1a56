"""A real nginx, HAProxy and Caddy in front of a server, with a folder of their own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.support.running.ports import is_answered
from tests.support.running.processes import eventually

STOP_SECONDS = 20.0
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
"""Where Debian has its servers, besides the `PATH` of an ordinary user."""
NGINX = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log info;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
{servers}
}}
"""

CADDY = """{{
	admin off
	auto_https disable_redirects
	storage file_system {folder}
	grace_period 1s
"""
"""The beginning of its global options."""


@contextmanager
def nginx(servers: str, port: int) -> Iterator[None]:
    """Run nginx until the block ends.

    Args:
        servers: what stands in its `http` block.
        port: one that it listens on.
    """
    with tempfile.TemporaryDirectory(prefix="curfew-nginx-") as folder:
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(NGINX.format(servers=servers), encoding="utf-8")
        words = ["-p", folder, "-c", str(configuration), "-e", f"{folder}/error.log"]
        with _running([_program("nginx"), *words], port):
            yield


@contextmanager
def haproxy(configuration: str, port: int) -> Iterator[None]:
    """Run HAProxy until the block ends.

    Args:
        configuration: all of it.
        port: one that it listens on.
    """
    with tempfile.TemporaryDirectory(prefix="curfew-haproxy-") as folder:
        file = Path(folder) / "haproxy.cfg"
        file.write_text(configuration, encoding="utf-8")
        with _running([_program("haproxy"), "-f", str(file)], port):
            yield


@contextmanager
def caddy(sites: str, port: int) -> Iterator[None]:
    """Run Caddy until the block ends.

    Args:
        sites: its configuration, which may begin with global options.
        port: one that it listens on.
    """
    with tempfile.TemporaryDirectory(prefix="curfew-caddy-") as folder:
        file = Path(folder) / "Caddyfile"
        rest = sites.removeprefix("{\n") if sites.startswith("{\n") else "}\n" + sites
        file.write_text(CADDY.format(folder=folder) + rest, encoding="utf-8")
        words = ["run", "--config", str(file), "--adapter", "caddyfile"]
        own = {"XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder}
        with _running([_program("caddy"), *words], port, own):
            yield


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS)
    assert found, f"{name} is missing: sh tests/support/servers/install-balancers.sh"
    return found


@contextmanager
def _running(
    command: list[str], port: int, variables: Mapping[str, str] = MappingProxyType({})
) -> Iterator[None]:
    with tempfile.TemporaryFile("w+") as said:
        environment = os.environ | dict(variables)
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)

        def answers() -> bool:
            if process.poll() is not None:
                said.seek(0)
                raise AssertionError(f"{command[0]} ended: {said.read()}")
            return is_answered(port)

        try:
            eventually(answers)
            yield
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
