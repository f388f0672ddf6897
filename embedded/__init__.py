"""The embedded stack: server, mailbox, worker and API as one supervised process tree."""
