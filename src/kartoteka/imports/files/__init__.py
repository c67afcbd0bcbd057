"""Files that people upload, as records of text: what they are, a look at them, all of them.

Bytes of strangers are read in a child process with limits (`child.py`); what this process reads
itself is only CSV, streamed. `reading.look` → `reading.prepare` → `read_records`. The child imports this
package too, so `reading`, which asks it and needs asyncio, is imported by who needs it.
"""

from kartoteka.imports.files.model import (
    LIMITS,
    MAX_FILE_BYTES,
    FileUnreadable,
    Layout,
    Limits,
    Prepared,
)
from kartoteka.imports.files.text import UNREADABLE, read_records

__all__ = [
    "LIMITS",
    "MAX_FILE_BYTES",
    "UNREADABLE",
    "FileUnreadable",
    "Layout",
    "Limits",
    "Prepared",
    "read_records",
]
