"""The archive in a bucket, against a server that speaks S3 over HTTP."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from obstore.store import S3Store
from pydantic import SecretStr
from structlog.testing import capture_logs
from werkzeug.serving import make_server

from embedded.archive import archive_of
from embedded.ports import HOST, free_ports
from settings import Settings, SettingsRefused
from storage.archive_bucket import ArchiveBucket, Bucket
from storage.archive_files import ArchiveFolder, ArchiveUnavailable, ListedArchive, NotArchived, location_of

RUN = "0198f2a4-0000-7000-8000-000000000001"
PLACE = location_of("tokyo-2026", 1, RUN)


@dataclass
class Server:
    """An S3 server. `simple`: it does not know conditions of a PUT; `refusing`: it accepts no key."""

    port: int = 0
    simple: bool = False
    refusing: bool = False
    puts: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def around(self, application: Any) -> Callable[..., Iterable[bytes]]:
        """The application, with this server's manners before it."""

        def called(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            condition = environ.get("HTTP_IF_NONE_MATCH")
            if environ["REQUEST_METHOD"] == "PUT":
                self.puts.append(condition or "-")
            status = "403 Forbidden" if self.refusing else "501 Not Implemented"
            if self.refusing or (self.simple and condition is not None):
                start_response(status, [("Content-Type", "application/xml")])
                return [b"<Error><Code>No</Code></Error>"]
            answered: Iterable[bytes] = application(environ, start_response)
            return answered

        return called


@pytest.fixture(scope="module")
def one_server() -> Iterator[Server]:
    """The server of these tests."""
    server = Server()
    application = server.around(DomainDispatcherApplication(create_backend_app))
    listening = make_server(HOST, 0, application, threaded=True)
    server.port = listening.port
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield server
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def server(one_server: Server) -> Iterator[Server]:
    """The server, with good manners before and after the test."""
    one_server.puts.clear()
    yield one_server
    one_server.simple = one_server.refusing = False


@pytest.fixture
def bucket(server: Server) -> Bucket:
    """A new bucket."""
    name = f"archive-{uuid4().hex[:8]}"
    httpx2.put(f"{server.address}/{name}", trust_env=False).raise_for_status()
    server.puts.clear()
    return Bucket(name=name, prefix="legation/runs", endpoint=server.address, region="us-east-1", key="k", secret="s")


async def stored(bucket: Bucket, key: str) -> bytes:
    """What the server has under a whole key."""
    store = S3Store(
        bucket.name,
        client_options={"allow_http": True},
        endpoint=bucket.endpoint or "",
        access_key_id="k",
        secret_access_key="s",
        region="us-east-1",
    )
    return bytes(await (await store.get_async(key)).bytes_async())


async def test_what_is_kept_is_read_back(bucket: Bucket, server: Server) -> None:
    """Under its prefix, created on the condition that there is none."""
    archive = ArchiveBucket(bucket)
    await archive.sweep()
    assert await archive.keep(PLACE, b"history") == b"history"
    assert await archive.read(PLACE) == b"history"
    assert server.puts == ["*"]
    assert await stored(bucket, f"legation/runs/{PLACE}") == b"history"


async def test_what_stands_is_never_replaced(bucket: Bucket) -> None:
    """Who comes second learns what stands there; of many at once exactly one is first."""
    archive = ArchiveBucket(bucket)
    await archive.keep(PLACE, b"first")
    assert await archive.keep(PLACE, b"second") == b"first"
    place = location_of("tokyo-2026", 9, RUN)
    kept = await asyncio.gather(*(archive.keep(place, f"{n}".encode()) for n in range(8)))
    assert set(kept) == {await archive.read(place)}


async def test_a_server_that_knows_no_condition_is_asked_first(bucket: Bucket, server: Server) -> None:
    """It is said once, and still nothing that stands is replaced."""
    server.simple = True
    archive = ArchiveBucket(bucket)
    with capture_logs() as logs:
        assert await archive.keep(PLACE, b"first") == b"first"
        assert await archive.keep(location_of("tokyo-2026", 2, RUN), b"more") == b"more"
    assert [one["event"] for one in logs] == ["archive_unconditional"]
    assert await archive.keep(PLACE, b"second") == b"first"
    assert server.puts[-2:] == ["-", "-"]


async def test_nothing_stands_there(bucket: Bucket) -> None:
    """Which is another thing than a bucket that is not there; and no place leads out of the prefix."""
    archive = ArchiveBucket(bucket)
    for place in (PLACE, "../other/secret", f"tokyo/../../00000001-{RUN}.json.gz"):
        with pytest.raises(NotArchived):
            await archive.read(place)
    lost = ArchiveBucket(replace(bucket, name="nobody-s"))
    for asked in (lost.read(PLACE), lost.keep(PLACE, b"x")):
        with pytest.raises(ArchiveUnavailable) as unavailable:
            await asked
        assert unavailable.value.reason == "cannot_open"


async def test_what_stands_in_it_can_be_listed(bucket: Bucket) -> None:
    """Page by page, in the order of the names, without what is not an archive's."""
    archive = ArchiveBucket(bucket)
    assert isinstance(archive, ListedArchive)
    assert await archive.locations() == []
    places = [location_of("tokyo-2026", first, RUN) for first in (1, 151, 301)] + [location_of("berlin", 1, RUN)]
    await asyncio.gather(*(archive.keep(place, b"x") for place in places))
    other = ArchiveBucket(replace(bucket, prefix="legation"))
    await other.keep(PLACE, b"beside the prefix")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.archive_bucket.LISTED_AT_ONCE", 2)
        assert await archive.locations() == sorted(places)
    assert await other.locations() == [PLACE]


async def test_a_server_that_is_away_or_refuses_is_said_without_the_secret(bucket: Bucket, server: Server) -> None:
    """Nothing of a key stands in what is logged."""
    away = replace(bucket, endpoint=f"http://{HOST}:{free_ports(1)[0]}", secret="very-secret")
    with pytest.raises(ArchiveUnavailable) as unavailable:
        await ArchiveBucket(away, patience=timedelta(seconds=2)).keep(PLACE, b"x")
    assert str(unavailable.value) == "the archive is unavailable: disconnected"
    assert "very-secret" not in repr(away)
    server.refusing = True
    archive = ArchiveBucket(bucket)
    for asked in (archive.read(PLACE), archive.keep(PLACE, b"x")):
        with pytest.raises(ArchiveUnavailable) as unavailable:
            await asked
        assert unavailable.value.reason == "refused"


async def test_the_settings_name_a_bucket_or_a_folder(bucket: Bucket, tmp_path: Any) -> None:
    """Without its key a bucket is refused before anything starts."""
    assert isinstance(archive_of(Settings(data_dir=tmp_path)), ArchiveFolder)
    moved = archive_of(Settings(data_dir=tmp_path, archive_dir=tmp_path / "elsewhere"))
    await moved.keep(PLACE, b"x")
    assert (tmp_path / "elsewhere" / PLACE).read_bytes() == b"x"
    named = Settings(data_dir=tmp_path, archive_url=f"s3://{bucket.name}/legation", archive_endpoint=bucket.endpoint)
    with pytest.raises(SettingsRefused, match="LEGATION_ARCHIVE_SECRET"):
        archive_of(named)
    archive = archive_of(named.model_copy(update={"archive_key": "k", "archive_secret": SecretStr("s")}))
    assert await archive.keep(PLACE, b"there") == b"there"
    assert await stored(bucket, f"legation/{PLACE}") == b"there"
    insecure = {"archive_endpoint": "http://s3.example"}
    for wrong in ({"archive_url": "https://bucket"}, {"archive_url": "s3:///x"}, insecure):
        with pytest.raises(ValueError, match="archive_"):
            Settings.model_validate({"data_dir": tmp_path, **wrong})
