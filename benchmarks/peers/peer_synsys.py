"""synsys: the kernel of this project on the same task. The one place where the comparison calls our code."""

raise SystemExit("not yet")
