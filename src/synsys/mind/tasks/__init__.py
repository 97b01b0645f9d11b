"""Tasks run on the state of a brain and scored as people are."""
