"""The right person, measured: labelled lives through the real engine (`python -m bench.identity`)."""
