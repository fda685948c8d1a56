r"""Sealed documents: JSON in a box, behind a short header that the scripts can read.

    <revision> <operation id> <epoch>\n<box>

The header is not authentic: whoever can write to the store can change it. So it only decides which
of two saves comes first. Everything else is in the box, which is bound to its purpose and to its
owner: a document that was edited, or copied to another key, does not open (P4). Only sessions have
an epoch.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from redis.asyncio import Redis

from server.core import strict_json
from server.core.audit import AuditEvent, Record
from server.core.session import Json
from server.crypto.sealer import Sealer
from server.store.connection import execute
from server.store.scripts import Scripts

_REVISION: Final = re.compile(rb"([1-9][0-9]{0,14}) \S+ ")
"""Numbers in Lua are exact up to 15 digits. Python refuses to convert thousands of digits."""


_MARK_BYTES: Final = 8
"""64 bits tell a write from the only one that it could be taken for, the record's next one."""


def mark_of(operation: str) -> str:
    """Return a short form of an operation's id, for records of which there are many."""
    digest = hashlib.blake2b(operation.encode(), digest_size=_MARK_BYTES).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class Document:
    """A document that opened.

    Attributes:
        content: what was sealed. It is authentic, so its shape is known.
        revision: counts the writes; a save names the revision that it is based on.
        epoch: as in the header, which is not authentic.
        stale_key: whether it is sealed under an older key and should be written again.
    """

    content: Mapping[str, Any] = field(repr=False)
    revision: int
    epoch: bytes = b""
    stale_key: bool = False


@dataclass(frozen=True, slots=True)
class UnreadableDocument:
    """A document that does not open: edited, copied, or sealed under a retired key.

    Attributes:
        revision: the revision in its header, which a save that replaces it must name; 0 if there
            is no valid header.
    """

    revision: int = 0


class DocumentCodec:
    """Writes and reads the documents of one kind.

    Args:
        sealer: seals with the newest key, opens with all keys.
        purpose: names the kind and its schema. A document of another version has another purpose
            and does not open.
    """

    def __init__(self, sealer: Sealer, purpose: str) -> None:
        self._sealer = sealer
        self._purpose = purpose

    def encode(
        self,
        content: Mapping[str, Json],
        owner: str,
        *,
        revision: int,
        operation: str,
        epoch: str = "",
    ) -> bytes:
        """Return the stored form of a document.

        Args:
            content: what to seal.
            owner: the session id or user name that the document belongs to.
            revision: the number of this write, from 1.
            operation: the id of this write. A retry that finds it knows that the write happened.
            epoch: the epoch of a session.
        """
        plaintext = strict_json.encode(content).encode("ascii")
        box = self._sealer.seal(plaintext, purpose=self._purpose, context=owner)
        return f"{revision} {operation} {epoch}\n".encode("ascii") + box

    def decode(self, value: bytes, owner: str) -> Document | UnreadableDocument:
        """Return the document in `value`, if it is intact and belongs to `owner`.

        Args:
            value: any bytes.
            owner: as given to `encode`.
        """
        header, _, box = value.partition(b"\n")
        found = _REVISION.match(header)
        revision = int(found[1]) if found else 0
        opened = self._sealer.open(box, purpose=self._purpose, context=owner)
        if opened is None or not revision:
            return UnreadableDocument(revision)
        content = cast("dict[str, Any]", strict_json.parse(opened.plaintext))
        return Document(content, revision, header.rpartition(b" ")[2], opened.stale)


class UserDocuments:
    """One sealed document for each user, saved by compare-and-set.

    Args:
        client: the store.
        scripts: runs `save_<kind>`.
        codec: seals and opens the documents.
        kind: the word for them in script names and error texts.
        key_of: returns the key of a user's document.
        record: records in the audit trail that a user's document does not open.
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        codec: DocumentCodec,
        kind: str,
        key_of: Callable[[str], str],
        record: Record,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._codec = codec
        self._kind = kind
        self._key_of = key_of
        self._record = record

    async def load(self, user: str) -> Document | UnreadableDocument | None:
        """Return the user's document; None if there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        key = self._key_of(user)
        value = await execute(f"load {self._kind}", lambda: self._client.get(key))
        if value is None:
            return None
        found = self._codec.decode(value, user)
        if isinstance(found, UnreadableDocument):
            self._record(AuditEvent.DECRYPT_FAIL, user=user, what=self._kind)
        return found

    def sealed(
        self, user: str, content: Mapping[str, Json], *, revision: int, operation: str
    ) -> bytes:
        """Return the stored form of a user's document."""
        return self._codec.encode(content, user, revision=revision, operation=operation)

    async def save(
        self,
        user: str,
        content: Mapping[str, Json],
        *,
        based_on: int,
        operation: str,
        revision: int | None = None,
        keys: Sequence[str] = (),
        args: Sequence[str | int] = (),
    ) -> bool:
        """Write the document if the stored one still has revision `based_on`.

        Args:
            user: whose document.
            content: what to write.
            based_on: the revision that was loaded; 0 for a new document.
            operation: the id of this write.
            revision: of this write, if it is not the next one.
            keys: what else the script takes as keys.
            args: what else the script takes as arguments.

        Returns:
            Whether it was written.

        Raises:
            StoreUnavailable: the store did not answer. The document may have been written; saving
                again with the same operation id is safe.
        """
        value = self.sealed(user, content, revision=revision or based_on + 1, operation=operation)
        reply = await self._scripts.run(
            f"save_{self._kind}",
            [self._key_of(user), *keys],
            [operation, based_on, value, *args],
            must_count=True,
        )
        return bool(reply == b"saved")
