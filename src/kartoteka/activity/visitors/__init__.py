"""Visitors of websites: what they do, and who they are said to be (guide G5, decisions D36, D37)."""
