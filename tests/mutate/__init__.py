"""`make mutate`: flips each identity rule in a copy of the source; some test must notice."""

from __future__ import annotations

from tests.mutate.bulk import BULK_ROWS
from tests.mutate.finding import FINDING
from tests.mutate.lists import LISTS
from tests.mutate.undo import UNDOING
from tests.mutate.writing import WRITING

MUTATIONS = (*FINDING, *WRITING, *LISTS, *BULK_ROWS, *UNDOING)
"""Every flip, in the order of the decisions."""
