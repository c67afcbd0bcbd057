"""The pages of the documentation in reading order; a test compares this with the files."""

from __future__ import annotations

MENU: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Start",
        (
            ("index.md", "Overview"),
            ("glossary.md", "Glossary"),
        ),
    ),
    (
        "Run and operate",
        (
            ("operate/run.md", "Run a server"),
            ("operate/access.md", "Accounts and keys"),
            ("operate/backup.md", "Backup and restore"),
            ("operate/upgrade.md", "Upgrade"),
            ("operate/watch.md", "Health, metrics, logs"),
            ("operate/scale.md", "Processes and PostgreSQL"),
            ("operate/imports.md", "Carry out imports"),
        ),
    ),
    (
        "Import",
        (
            ("import/a-file.md", "Import a file"),
            ("import/a-link.md", "A file behind a link"),
        ),
    ),
    (
        "Export",
        (
            ("exports/overview.md", "Exports"),
            ("exports/postgresql.md", "PostgreSQL"),
            ("exports/bigquery.md", "BigQuery"),
            ("exports/files.md", "Parquet and CSV files"),
        ),
    ),
    (
        "Identity",
        (
            ("identity/finding.md", "How a contact is found"),
            ("identity/moving.md", "Moving and absorbing"),
            ("identity/explain.md", "Explain and dry run"),
            ("identity/history.md", "Identity history"),
            ("identity/undo.md", "Merge, explain, undo"),
            ("identity/what-if.md", "What if?"),
            ("identity/erase.md", "Remove, restore, erase"),
        ),
    ),
    (
        "Pages",
        (
            ("admin/index.md", "The pages"),
            ("admin/contacts.md", "Contacts and cards"),
            ("admin/segments.md", "Segments, imports, exports"),
            ("admin/duplicates.md", "Duplicates, merging, quarantine"),
            ("admin/settings.md", "Settings"),
            ("admin/simulator.md", "The simulator"),
        ),
    ),
    (
        "API",
        (
            ("api/first-calls.md", "First calls"),
            ("api/compatibility.md", "Compatibility"),
            ("api/bulk.md", "Bulk calls"),
            ("api/events.md", "Events"),
            ("api/orders.md", "Orders"),
            ("api/fields.md", "Custom fields"),
            ("api/lists.md", "Lists"),
            ("api/website.md", "Websites"),
            ("api/mobile-app.md", "Mobile apps"),
            ("api/segment-style.md", "Segment-style libraries"),
            ("api/errors.md", "Errors and warnings"),
            ("api/repeats.md", "Repeats and limits"),
        ),
    ),
    (
        "Segments",
        (
            ("segments/segments.md", "Segments"),
            ("segments/webhooks.md", "Webhooks"),
        ),
    ),
    (
        "Reference",
        (
            ("reference/settings.md", "Settings of the server"),
            ("reference/account-settings.md", "Settings of an account"),
            ("reference/commands.md", "Commands"),
            ("reference/methods.md", "API methods"),
            ("reference/errors.md", "Errors"),
            ("reference/identifiers.md", "Kinds of identifier"),
            ("reference/import.md", "Imports: fields, outcomes"),
            ("reference/conditions.md", "Conditions"),
            ("reference/policies.md", "What each method may do"),
            ("reference/history.md", "Actions and rules"),
        ),
    ),
)

DECISIONS = "decisions"
"""The folder whose pages follow the menu, by their file names."""
