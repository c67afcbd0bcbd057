"""The pages under /admin: server-rendered, for whoever looks after contacts (docs/decisions/0026)."""
