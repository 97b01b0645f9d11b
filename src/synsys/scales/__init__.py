"""The levels put together: cascades and the claims that they are checked against."""
