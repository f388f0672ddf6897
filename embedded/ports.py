"""Ports on 127.0.0.1: the fixed ones of `legation up`, and free ones for tests and for a second stack on a machine."""

import socket

from pydantic import BaseModel, ConfigDict

from embedded.failure import Sentence, StackFailure
from locales import mark

HOST = "127.0.0.1"


class PortTaken(StackFailure):
    """Another program listens where a part of the stack must listen."""

    def __init__(self, part: str, port: int) -> None:
        super().__init__(
            mark(
                "Port %(port)s on %(host)s, which the %(part)s needs, is in use by another program: "
                "end that program, or start with --ports free."
            ),
            port=port,
            host=HOST,
            part=Sentence(part),
        )


class Ports(BaseModel):
    """Where each part listens; a person may rely on the defaults (bookmarks, calendar clients)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api: int = 8080
    temporal: int = 7233
    temporal_http: int = 7243
    temporal_metrics: int = 7253
    ui: int = 8233
    smtp: int = 1025
    imap: int = 1143
    webmail: int = 1180

    @classmethod
    def free(cls) -> "Ports":
        """Ports that were free a moment ago, all different."""
        names = tuple(cls.model_fields)
        return cls(**dict(zip(names, free_ports(len(names)), strict=True)))


def free_ports(count: int) -> tuple[int, ...]:
    """`count` different ports that the kernel says are free. They are all held open until the last is known."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)
    finally:
        for each in sockets:
            each.close()


def require_free(part: str, port: int) -> None:
    """Refuses (`PortTaken`) when the port cannot be bound; one that only lingers in TIME_WAIT counts as free.

    `part` is a text marked for translation: the title of who needs the port.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as taken:
            raise PortTaken(part, port) from taken
