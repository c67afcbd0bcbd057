"""The tracking API that Segment-style libraries speak: identify, track, page … (clients 6)."""
