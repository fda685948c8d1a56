"""Curfew's public API: all that an application imports. docs/api.md describes it.

What is here is held stable: a change that breaks an application is a new second number of the
version while they begin with 0, and the changelog says what to write instead. Everything else may
change from one day to the next.
"""

from curfew.places import open_the_rest

open_the_rest()

from tornado.web import stream_request_body, url

from curfew.application import Application
from handlers.http.access import Access
from handlers.http.additions import Task
from handlers.http.base import BaseHandler
from handlers.http.body import CheckedBody as Body
from handlers.http.body import Fields
from handlers.http.brand import Brand
from handlers.http.node import Node
from handlers.http.operation import answer, operation, path_parameter, query_parameter
from handlers.http.problems import Problem, ProblemRaised
from handlers.pages.base import PageHandler
from handlers.pages.confirmation import ConfirmedForm
from handlers.pages.next_path import with_next
from handlers.pages.receipts import receipt_notice
from handlers.websocket.handler import SocketHandler
from handlers.websocket.own_frames import frame
from server import VERSION as __version__
from server.commands.command import Argument, Command, CommandGroup, ExactlyOneOf
from server.commands.errors import CommandFailed
from server.core.account import Account
from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.own_settings import SECRET, Bounds
from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.core.rooms import (
    Present,
    Published,
    RoomOptions,
    RoomRefusal,
    ToRoom,
    ToSession,
    ToSocket,
    ToUser,
)
from server.core.session import Json, Session
from server.crypto.looks import look_of
from server.realtime.rooms import Rooms
from server.realtime.socket_hooks import FrameRefused
from server.services import Services
from server.store.account_contract import Accounts, StoredAccount
from server.store.accounts import account_from as account_from_json
from server.store.accounts import content_of as account_as_json
from server.store.session_ledger import EndedSession

__all__ = [
    "SECRET",
    "Access",
    "Account",
    "Accounts",
    "Application",
    "Argument",
    "BaseHandler",
    "Body",
    "Bounds",
    "Brand",
    "Command",
    "CommandFailed",
    "CommandGroup",
    "ConfigurationError",
    "ConfirmedForm",
    "EndedSession",
    "ExactlyOneOf",
    "Fields",
    "FrameRefused",
    "Json",
    "Node",
    "PageHandler",
    "Present",
    "Problem",
    "ProblemRaised",
    "Published",
    "Reason",
    "Receipt",
    "RoomOptions",
    "RoomRefusal",
    "Rooms",
    "Services",
    "Session",
    "SocketHandler",
    "StoreUnavailable",
    "StoredAccount",
    "Task",
    "ToRoom",
    "ToSession",
    "ToSocket",
    "ToUser",
    "__version__",
    "account_as_json",
    "account_from_json",
    "answer",
    "frame",
    "look_of",
    "operation",
    "path_parameter",
    "query_parameter",
    "receipt_notice",
    "stream_request_body",
    "url",
    "with_next",
]
