"""Data that come with synsys, and readers for the user's own."""
