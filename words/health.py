"""What parts of an installation say of themselves, in words: on the left what the API says of them."""

from locales import mark

DETAILS = {
    "ready": mark("ready"),
    "unknown": mark("unknown"),
    "does not answer": mark("does not answer"),
    "nobody polls the task queue": mark("nobody polls the task queue"),
    "the schema is not that of this release": mark("the schema is not that of this release"),
    "cannot be written": mark("cannot be written"),
    "none was made yet": mark("none was made yet"),
    "no closed runs were looked for yet": mark("no closed runs were looked for yet"),
    "none is signed: somebody has to look": mark("none is signed: somebody has to look"),
    "a witness did not take the last ones": mark("a witness did not take the last ones"),
    "closed runs cannot be archived": mark("closed runs cannot be archived"),
    "closed runs wait too long to be archived": mark("closed runs wait too long to be archived"),
    "locked": mark("somebody else holds it locked"),
    "read_only": mark("it may only be read"),
    "disk_full": mark("the disk is full"),
    "io_error": mark("the disk fails"),
    "damaged": mark("its file is damaged"),
    "cannot_open": mark("its file cannot be opened"),
    "out_of_memory": mark("memory has run out"),
    "out_of_files": mark("too many files are open"),
    "too_many_connections": mark("too many connections are open"),
    "disconnected": mark("the connection is gone"),
}
"""What a part says in the health of the API (api/health.py); the last ten are reasons of storage/errors.py."""

FAILURES = {
    "stream_cut": mark("a trail ends before what was sealed of it"),
    "stream_changed": mark("another entry stands where the sealed one stood"),
    "stream_gap": mark("an entry is missing"),
    "stream_unchained": mark("an entry does not carry the hash of the one before it"),
    "checkpoint_changed": mark("the last checkpoint is not the one that was signed"),
    "tree_changed": mark("the tree of hashes is not the one that was signed"),
    "signing_key_missing": mark("there is no key to sign with"),
    "endorsing_key_missing": mark("the key that has to vouch for the new one is missing"),
    "witness_unreachable": mark("the witness cannot be reached"),
    "witness_refused": mark("the witness does not take it"),
    "witness_contradicts": mark("the witness holds another checkpoint of this number"),
    "folder_unusable": mark("the folder of the witness cannot be written"),
}
"""Why checkpoints are not made, or not taken by a witness."""
