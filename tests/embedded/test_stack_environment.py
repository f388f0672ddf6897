"""What the parts of a stack are told of it."""

from pathlib import Path

import pytest

from embedded.ports import Ports
from embedded.stack import Stack
from settings import load_settings


@pytest.mark.parametrize(
    ("said", "told"),
    [("", "http://127.0.0.1:{api}"), ("https://doan.example.vn", "https://doan.example.vn")],
)
def test_links_name_the_port_that_the_api_listens_on(tmp_path: Path, said: str, told: str) -> None:
    """Also where ports were found free; an address of its own, behind a proxy, stands as it was said."""
    settings = load_settings({"data_dir": tmp_path, "public_url": said})
    ports = Ports.free()
    environment = Stack(settings, ports).environment()
    assert environment["LEGATION_PUBLIC_URL"] == told.format(api=ports.api)
