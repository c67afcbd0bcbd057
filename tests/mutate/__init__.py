"""`make mutate`: flips each identity rule in a copy of the source; some test must notice."""

from __future__ import annotations

from tests.mutate.activity import ACTIVITY
from tests.mutate.apps import APPS
from tests.mutate.bulk import BULK_ROWS
from tests.mutate.claims import CLAIMING
from tests.mutate.finding import FINDING
from tests.mutate.lists import LISTS
from tests.mutate.orders import ORDERS
from tests.mutate.undo import UNDOING
from tests.mutate.writing import WRITING

MUTATIONS = (
    *(*FINDING, *WRITING, *LISTS, *BULK_ROWS, *UNDOING),
    *(*ACTIVITY, *CLAIMING, *APPS, *ORDERS),
)
"""Every flip, in the order of the decisions."""
