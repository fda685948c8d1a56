"""The attacks by requests: those of issue 11, letters C to G, and others of their kinds."""

import asyncio
import itertools
from functools import partial
from typing import Final

from benchmarks.attacks.repeating import Attack, at_once, crowd, held
from benchmarks.attacks.wire import PATIENCE, Build, Target, answered, connected, get, post

LANGUAGES: Final = b"Accept-Language: " + b"a-b-c;q=0.1," * 1200 + b"en\r\n"
JSON_IN_CHUNKS: Final = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
FORM: Final = b"application/x-www-form-urlencoded"
PARTS: Final = b"multipart/form-data; boundary=x"
NUMBERS: Final = itertools.count()


def chunked(target: Target) -> bytes:
    """Return a sign-in whose body comes in crumbs."""
    return b"POST /api/login HTTP/1.1\r\n" + target.host + JSON_IN_CHUNKS + b"1\r\nx\r\n" * 200_000


def small_chunks(target: Target) -> bytes:
    """Return a sign-in whose chunks are just allowed."""
    piece = b"40\r\n" + b"x" * 64 + b"\r\n"
    head = b"POST /api/login HTTP/1.1\r\n" + target.host + JSON_IN_CHUNKS
    return head + piece * 15_000 + b"0\r\n\r\n"


def large_upload(target: Target) -> bytes:
    """Return a sign-in with a body that is too large."""
    return post(b"/api/login", b"x" * 2_000_000)(target)


def sign_up(target: Target) -> bytes:
    """Return the making of an account."""
    name = b"flood-%d" % next(NUMBERS)
    return post(
        b"/api/signup", b'{"username":"%s","password":"a quiet lantern over the harbour"}' % name
    )(target)


def guess(target: Target) -> bytes:
    """Return a sign-in with another name each time."""
    body = b'{"username":"nobody-%d","password":"eleven herons over the ferry"}' % next(NUMBERS)
    return post(b"/api/login", body)(target)


async def ask_anew(build: Build, target: Target) -> None:
    """Send one request on a connection of its own, and read its answer."""
    async with connected(target) as (reader, writer):
        writer.write(build(target))
        async with asyncio.timeout(PATIENCE):
            await answered(reader)


def parts(count: int) -> bytes:
    """Return a form of many parts."""
    each = b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\nb\r\n'
    return b"".join(each % number for number in range(count)) + b"--x--\r\n"


def fields(count: int) -> bytes:
    """Return a form of many fields."""
    return b"&".join(b"a%d=b" % number for number in range(count))


COOKIES: Final = b"Cookie: " + b"; ".join(b"c%d=%d" % (n, n) for n in range(900)) + b"\r\n"
STALE: Final = b"Cookie: __Host-Http-curfew=" + b"A" * 100 + b"\r\n"
PACKED: Final = b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
RANGES: Final = b"Range: bytes=" + b",".join(b"%d-%d" % (n, n + 1) for n in range(1000)) + b"\r\n"
DEEP: Final = b'{"set":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001

HTTP_ATTACKS: Final[dict[str, Attack]] = {
    "C pipelined, then gone": crowd(lambda target: get(b"/")(target) * 1200, reads=False),
    "C pipelined, signed in": crowd(
        lambda target: get(b"/account", signed_in=True)(target) * 100, reads=False
    ),
    "D never reading": held(lambda target: get(b"/openapi.json")(target) * 60, 900),
    "D heads in crumbs": held(lambda _: b"GET / HTTP/1.1\r\nA: ", 400, lambda _: b"b", 0.05),
    "D connections that say nothing": held(lambda _: b"", 900),
    "E crumbs": crowd(chunked),
    "E small chunks": crowd(small_chunks),
    "E bodies too large": crowd(large_upload),
    "E header lines": crowd(get(b"/", b"A: b\r\n" * 2000)),
    "E 90 header lines": crowd(get(b"/", b"".join(b"A%d: b\r\n" % n for n in range(90)))),
    "E languages": crowd(get(b"/login", LANGUAGES)),
    "E 900 cookies": crowd(get(b"/login", COOKIES)),
    "E forged cookies": crowd(get(b"/api/session", STALE)),
    "E ordinary pages": crowd(get(b"/login")),
    "E own session": crowd(get(b"/api/session", signed_in=True)),
    "E account page": crowd(get(b"/account", signed_in=True)),
    "E own sessions": crowd(get(b"/api/sessions", signed_in=True)),
    "E static files": crowd(get(b"/static/js/page.js", PACKED)),
    "E static files in ranges": crowd(get(b"/static/js/page.js", RANGES)),
    "E openapi.json": crowd(get(b"/openapi.json", PACKED)),
    "E live page of others": crowd(get(b"/admin/live", signed_in=True)),
    "E changes of the look": crowd(post(b"/look", b"language=de&colours=dark", kind=FORM)),
    "E forms without a token": crowd(post(b"/login", fields(5_000), kind=FORM)),
    "E forms in parts": crowd(post(b"/login", parts(90), kind=PARTS)),
    "E new connections": crowd(get(b"/healthz"), stays=False),
    "E wrong sign-ins": crowd(
        post(b"/api/login", b'{"username":"nobody","password":"eleven herons over the ferry"}')
    ),
    "E wrong sign-ins, many names": at_once(partial(ask_anew, guess)),
    "F sign-ups": at_once(partial(ask_anew, sign_up), 16),
    "F sign-ups, 100 at once": at_once(partial(ask_anew, sign_up)),
    "G anonymous data": crowd(
        post(b"/api/session/data", b'{"set":{"a":"%s"}}' % (b"x" * 60_000), method=b"PATCH")
    ),
    "G deep data": crowd(post(b"/api/session/data", DEEP, method=b"PATCH")),
    "G changes of one session": crowd(
        post(
            b"/api/session/data",
            b'{"set":{"a":"%s"}}' % (b"x" * 30_000),
            method=b"PATCH",
            signed_in=True,
        )
    ),
    "G rotations of one session": crowd(post(b"/api/session/rotate", b"{}", signed_in=True)),
}
