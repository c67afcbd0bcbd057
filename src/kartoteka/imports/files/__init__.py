"""Files that people upload, as records of text: what they are, a look at them, all of them.

Bytes of strangers are read in a child process with limits (`child.py`); what this process reads
itself is only CSV, streamed. `look` → `prepare` → `read_records`.
"""

from kartoteka.imports.files.model import (
    LIMITS,
    MAX_FILE_BYTES,
    FileUnreadable,
    Layout,
    Limits,
    Prepared,
)
from kartoteka.imports.files.reading import look, prepare
from kartoteka.imports.files.text import UNREADABLE, read_records

__all__ = [
    "LIMITS",
    "MAX_FILE_BYTES",
    "UNREADABLE",
    "FileUnreadable",
    "Layout",
    "Limits",
    "Prepared",
    "look",
    "prepare",
    "read_records",
]
