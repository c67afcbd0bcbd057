"""Everything that can be written: the rules of all capabilities, and the engine that is handed them."""

from __future__ import annotations

from kartoteka.activity.mobile.part import MOBILE
from kartoteka.activity.orders.part import ORDERS
from kartoteka.activity.part import ACTIVITY
from kartoteka.activity.segment_style.part import SEGMENT_STYLE
from kartoteka.activity.visitors.part import CLAIMED_SPANS, VISITORS
from kartoteka.clock import Clock
from kartoteka.contacts.part import CONTACTS
from kartoteka.db.database import Database
from kartoteka.identity.store import Digest
from kartoteka.intake.deciding import compose
from kartoteka.intake.engine import Engine
from kartoteka.segments.watch import SegmentWatch

RULES = compose(
    CONTACTS,
    CLAIMED_SPANS,
    ACTIVITY,
    VISITORS,
    ORDERS,
    MOBILE,
    SEGMENT_STYLE,
    watch=SegmentWatch,
)
"""A capability that writes is a part in this list; segments follow from what all of them write."""


def build_engine(database: Database, clock: Clock, digest: Digest) -> Engine:
    """The engine of one process; `database` is opened with `WRITER_OPTIONS`."""
    return Engine(database, clock, digest, RULES)
