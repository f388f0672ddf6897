"""Which event of which history proves each event of a trail, read once for the pages of one look at it."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from api.problems import Problem
from audit.histories import Archive, Histories
from audit.history import Place
from domain.seal import Head

KEPT = 4
LASTING = 30.0
"""Seconds: a history may be deleted any time after its retention, and then proves nothing any more."""

Places = Mapping[str, Place]
"""By the hash of the sealed event."""


class Proofs:
    """Where histories, of the server or of the archive, hold the events of a file."""

    def __init__(self, converter: DataConverter, archive: Archive) -> None:
        self._codec = converter.payload_codec
        self._archive = archive
        self._read: OrderedDict[tuple[str, str], tuple[float, Places]] = OrderedDict()

    async def of(self, client: Client | None, delegation: str, head: Head) -> Places:
        """Return the places of a file's events up to `head`, none where no history is left.

        Problem: `engine_unavailable`.
        """
        now, key = asyncio.get_running_loop().time(), (delegation, head.hash)
        if key in self._read and now - self._read[key][0] < LASTING:
            return self._read[key][1]
        places = await self._places(client, delegation)
        self._read[key] = (now, places)
        while len(self._read) > KEPT:
            self._read.popitem(last=False)
        return places

    async def _places(self, client: Client | None, delegation: str) -> Places:
        if client is None:
            raise Problem("engine_unavailable")
        try:
            return await Histories(client, self._codec, archive=self._archive).places(delegation)
        except (RPCError, RuntimeError):
            # A client that never reached the server raises the SDK's own RuntimeError.
            raise Problem("engine_unavailable") from None
