"""What people do: events, orders, visits of websites (guide G4–G6)."""
