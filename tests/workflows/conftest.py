"""Real calendar servers for the tests of this folder."""

from tests.calendars.servers import fake, one_radicale, server

__all__ = ["fake", "one_radicale", "server"]
