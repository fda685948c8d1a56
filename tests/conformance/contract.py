"""The whole suite for stores: subclass it, and give it a `subject`."""

from tests.conformance.creating import CreatingContract
from tests.conformance.ending import EndingContract
from tests.conformance.listing import ListingContract
from tests.conformance.saving import SavingContract


class StoreContract(CreatingContract, SavingContract, EndingContract, ListingContract):
    """What `server.store.contract.SessionStore` promises, by every method and outcome."""
