"""What people do: events, visits, orders; owned by cards and spans of visitors, never moved."""
