"""One file a job; `all.py` lists them."""
