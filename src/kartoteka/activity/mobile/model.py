"""Commands of the mobile SDK's end points."""

from __future__ import annotations

from kartoteka.activity.mobile.form import AppCall
from kartoteka.contacts.model import Command


class AppUpdate(Command, kw_only=True):
    """POST /api/v1/device or /user: whose the app's device is, and what is known of that person."""

    call: AppCall
    trusted: bool
    """The app is marked trusted: a keyed call. Else only claims, and the few things of D36."""
