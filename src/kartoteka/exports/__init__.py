"""What is known, copied into warehouses and files and kept current there (guide G14, decisions D33)."""
