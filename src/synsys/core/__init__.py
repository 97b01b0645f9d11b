"""Plain records that every level shares; imports nothing else of synsys."""
