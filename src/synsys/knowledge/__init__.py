"""Biology as tables: what each name means, how strongly it acts, and who says so."""
