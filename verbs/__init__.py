"""The verbs of the `legation` command, one file each."""
