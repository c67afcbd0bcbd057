"""The card itself: profile, channels, fields, consent, and what one can do with it."""
