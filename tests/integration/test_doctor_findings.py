"""What the doctor finds wrong, each on real parts: the setting, what is there, what is needed."""

import asyncio
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from server.crypto.certificate import ensure_certificate
from tests.support.running.ports import free_port
from tests.support.servers.proxy import CHUNK_BYTES, Proxy
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.stepped_clock import SteppedValkey
from tests.support.servers.unprivileged import WITHOUT_PRIVILEGES
from tests.support.servers.valkey import ValkeyServer

HOST = "app.example"
FEW_FILES = 512
KEY = "NobodyKnowsThisKeyNobodyKnowsThisKeyNobody0"


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    """A store in good order."""
    with ValkeyServer(tcp=True, appendonly="yes", appendfsync="always") as running:
        yield running


class Doctor:
    """Examines a set-up that is in good order but for what a test changes."""

    def __init__(self, folder: Path, store_url: str) -> None:
        self.folder = folder
        self.variables = {
            "CURFEW_DATA_DIR": str(folder / "data"),
            "CURFEW_PORT": str(free_port()),
            "CURFEW_STORE_URL": store_url,
            "CURFEW_ORIGINS": f"https://{HOST}",
        }
        self.files = 8192
        self.before: tuple[str, ...] = ()
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"

    def certify(self, *hosts: str, at: datetime | None = None) -> None:
        """Give the server a certificate, made at a time."""
        ensure_certificate(self.certificate, self.key, frozenset(hosts or {HOST}), at)
        files = {"CURFEW_TLS_CERT": str(self.certificate), "CURFEW_TLS_KEY": str(self.key)}
        self.variables |= files

    def examine(self) -> "subprocess.CompletedProcess[str]":
        """Run the command."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        return subprocess.run(
            [*self.before, sys.executable, str(ROOT / "run.py"), "doctor"],
            cwd=self.folder,
            env=os.environ | self.variables,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, hard)),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def finds(self, kind: str, setting: str, found: str, needed: str) -> None:
        """Assert that this is all it finds, and that only a problem fails."""
        ended = self.examine()
        findings = re.findall(r"(?m)^(problem|warning) +(.*?): (.*); needed: (.*)$", ended.stdout)
        assert len(findings) == 1, ended.stdout + ended.stderr
        assert findings[0][:2] == (kind, setting)
        assert re.search(found, findings[0][2])
        assert re.search(needed, findings[0][3])
        assert ended.returncode == (1 if kind == "problem" else 0)
        assert ended.stderr.count("\n") == ended.returncode


@pytest.fixture
def doctor(tmp_path: Path, store: ValkeyServer) -> Doctor:
    """Examines a set-up in good order."""
    store.flush()
    return Doctor(tmp_path, store.url)


def test_nothing_is_found_in_a_set_up_that_is_in_order(doctor: Doctor) -> None:
    doctor.certify(HOST)
    ended = doctor.examine()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not re.search("problem|warning", ended.stdout)


def test_a_key_that_is_not_the_certificates(doctor: Doctor, tmp_path: Path) -> None:
    doctor.certify()
    (tmp_path / "other").mkdir()
    ensure_certificate(tmp_path / "other" / "c.pem", doctor.key, frozenset({HOST}))
    doctor.finds("problem", "CURFEW_TLS_KEY", "does not belong to", "key that CURFEW_TLS_CERT was")


def test_an_expired_certificate(doctor: Doctor) -> None:
    doctor.certify(at=datetime.now(UTC) - timedelta(days=400))
    doctor.finds("problem", "CURFEW_TLS_CERT", r"expired on 20\d\d-", "a new certificate")


def test_a_certificate_that_is_about_to_expire(doctor: Doctor) -> None:
    doctor.certify(at=datetime.now(UTC) - timedelta(days=362))
    doctor.finds("warning", "CURFEW_TLS_CERT", r"expires on 20\d\d-", "a renewal")


def test_a_certificate_from_the_future(doctor: Doctor) -> None:
    doctor.certify(at=datetime.now(UTC) + timedelta(days=40))
    doctor.finds("problem", "CURFEW_TLS_CERT", r"not valid before 20\d\d-", "the right time")


def test_a_certificate_for_another_host(doctor: Doctor) -> None:
    doctor.certify("other.example", "*.other.example")
    found = rf"for \*\.other\.example, other\.example, and CURFEW_ORIGINS have {HOST}"
    doctor.finds("problem", "CURFEW_TLS_CERT", found, "a certificate for these hosts")


def test_a_certificate_without_its_chain(doctor: Doctor) -> None:
    doctor.certify()
    authority = ec.generate_private_key(ec.SECP256R1())
    self_signed = x509.load_pem_x509_certificate(doctor.certificate.read_bytes())
    issued = (
        x509.CertificateBuilder()
        .subject_name(self_signed.subject)
        .issuer_name(x509.Name.from_rfc4514_string("CN=Some Authority"))
        .public_key(self_signed.public_key())
        .serial_number(self_signed.serial_number)
        .not_valid_before(self_signed.not_valid_before_utc)
        .not_valid_after(self_signed.not_valid_after_utc)
        .add_extension(self_signed.extensions[0].value, critical=False)
        .sign(authority, SHA256())
    )
    doctor.certificate.write_bytes(issued.public_bytes(Encoding.PEM))
    doctor.finds("warning", "CURFEW_TLS_CERT", "alone, which CN=Some Auth", "intermediate certif")


def test_a_key_that_others_can_read(doctor: Doctor) -> None:
    doctor.certify()
    doctor.key.chmod(0o644)
    doctor.finds("warning", "CURFEW_TLS_KEY", "other users can use", "chmod 600")


def test_a_port_that_another_program_has(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", int(doctor.variables["CURFEW_PORT"]))):
        doctor.finds("problem", "CURFEW_PORT", r"another program listens on port \d+", "free port")


def test_a_port_for_metrics_that_another_program_has(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        doctor.variables["CURFEW_METRICS_PORT"] = str(other.getsockname()[1])
        doctor.finds("problem", "CURFEW_METRICS_PORT", "another program listens", "a free port")


def test_the_port_of_the_server_that_is_examined_is_its_own() -> None:
    with CurfewServer() as server:
        assert "CURFEW_PORT" not in server.command("doctor").stdout


def test_an_address_of_another_machine(doctor: Doctor) -> None:
    doctor.certify()
    doctor.variables |= {"CURFEW_HOST": "192.0.2.1", "CURFEW_SECRET_KEYS": KEY}
    doctor.finds("problem", "CURFEW_HOST", "192.0.2.1 cannot be", "an address of this machine")


def test_a_low_limit_of_open_files(doctor: Doctor) -> None:
    doctor.files = FEW_FILES
    doctor.finds("warning", "limit of open files", "512, .* 384 connections", "ulimit -n 4096")


def test_an_idle_timeout_above_the_absolute_one(doctor: Doctor) -> None:
    doctor.variables |= {"CURFEW_IDLE_TIMEOUT": "2h", "CURFEW_ABSOLUTE_TIMEOUT": "1h"}
    found = r"2h is longer than CURFEW_ABSOLUTE_TIMEOUT \(1h\)"
    doctor.finds("warning", "CURFEW_IDLE_TIMEOUT", found, "a shorter duration")


def test_a_lease_that_is_too_short(doctor: Doctor) -> None:
    doctor.variables["CURFEW_NODE_LEASE"] = "500ms"
    doctor.finds("warning", "CURFEW_NODE_LEASE", "500ms is too short", "3s or more")


def test_an_origin_over_plain_http(doctor: Doctor) -> None:
    doctor.variables["CURFEW_ORIGINS"] = f"http://{HOST}"
    doctor.finds("warning", "CURFEW_ORIGINS", "is plain HTTP", "https://")


def test_proxies_that_are_everybody(doctor: Doctor) -> None:
    doctor.variables["CURFEW_TRUSTED_PROXIES"] = "0.0.0.0/0"
    doctor.finds("warning", "CURFEW_TRUSTED_PROXIES", "is everybody", "the addresses of your pro")


def test_a_data_folder_that_others_can_change(doctor: Doctor) -> None:
    (doctor.folder / "data").mkdir(mode=0o700)
    (doctor.folder / "data").chmod(0o777)
    doctor.finds("warning", "CURFEW_DATA_DIR", "other users can change", "chmod 700")


def test_a_data_folder_that_cannot_be_written_in(doctor: Doctor) -> None:
    (doctor.folder / "data").mkdir(mode=0o500)
    doctor.variables["CURFEW_SECRET_KEYS"] = KEY
    if os.geteuid() == 0:
        doctor.before = WITHOUT_PRIVILEGES
    doctor.finds("problem", "CURFEW_DATA_DIR", "cannot write in", "of this user's own")


def test_a_new_data_folder(doctor: Doctor) -> None:
    del doctor.variables["CURFEW_STORE_URL"]
    doctor.finds("warning", "CURFEW_DATA_DIR", "is new, so its store is empty", "with your data")


class OldStore(Proxy):
    """The way to a store that says that it is an old one; everything else it says is its own."""

    async def _receive(
        self, source: socket.socket, pieces: "asyncio.Queue[tuple[float, bytes]]"
    ) -> None:
        data = b"anything"
        while data:
            data = await asyncio.get_running_loop().sock_recv(source, CHUNK_BYTES)
            data = re.sub(rb"(redis_version):7\.2\.", rb"\1:6.2.", data)
            pieces.put_nowait((0.0, data))


def test_an_old_store(doctor: Doctor, store: ValkeyServer) -> None:
    with OldStore(store.port) as way:
        url = store.url.replace(f":{store.port}", f":{way.port}")
        doctor.variables["CURFEW_STORE_URL"] = url
        doctor.finds(
            "warning", "CURFEW_STORE_URL", r"Redis 6\.2\.", "Redis 7.2 or later, or Valkey"
        )


def test_a_store_whose_clock_is_wrong(doctor: Doctor) -> None:
    with SteppedValkey(tcp=True, appendonly="yes", appendfsync="always") as store:
        store.set_clock(-300)
        doctor.variables["CURFEW_STORE_URL"] = store.url
        doctor.finds("warning", "clock of the store", r"(299|300) s behind", "synchronised")


def test_keys_that_open_nothing_and_what_else_is_wrong(doctor: Doctor) -> None:
    assert doctor.examine().returncode == 0
    command = [sys.executable, str(ROOT / "run.py"), "sessions", "list"]
    subprocess.run(command, env=os.environ | doctor.variables, check=True, cwd=doctor.folder)
    shutil.rmtree(doctor.folder / "data")
    doctor.variables["CURFEW_NODE_LEASE"] = "500ms"
    ended = doctor.examine()
    assert "CURFEW_NODE_LEASE" in ended.stdout
    found = r"problem +CURFEW_SECRET_KEYS_FILE, CURFEW_SECRET_KEYS: the data is under key \d+, and"
    assert re.search(found, ended.stdout)
    assert (ended.returncode, "do not fit the store" in ended.stderr) == (1, True)


def test_a_store_that_is_away_hides_nothing_else(doctor: Doctor) -> None:
    doctor.certify(at=datetime.now(UTC) - timedelta(days=400))
    doctor.variables["CURFEW_STORE_URL"] = f"redis://127.0.0.1:{free_port()}"
    ended = doctor.examine()
    assert "problem    CURFEW_TLS_CERT" in ended.stdout
    assert ended.stderr.startswith("The store at 127.0.0.1")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
