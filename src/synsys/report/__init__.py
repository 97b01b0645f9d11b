"""One self-contained offline page per result."""
