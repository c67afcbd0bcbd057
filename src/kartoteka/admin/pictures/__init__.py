"""Pictures made on the server as SVG: what goes where is worked out here, drawn by templates."""
