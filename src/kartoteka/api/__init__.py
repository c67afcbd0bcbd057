"""JSON over HTTP: one module per resource, one table of routes, one table of errors."""
