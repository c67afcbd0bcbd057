"""One module a part of the pages; `routes.py` lists what they answer."""
