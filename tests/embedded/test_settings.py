"""Settings: from the environment, told apart by profile, and never repeating a value in a refusal."""

import base64
import json
import os
from pathlib import Path

import pytest

from settings import SettingsRefused, load_settings

KEY = base64.b64encode(b"k" * 32).decode()
OLDER = base64.b64encode(b"o" * 32).decode()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("LEGATION_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_the_data_are_below_var(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.data_dir == tmp_path / "var"
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/var/legation.db"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert (settings.profile, settings.zone, settings.retention.days) == ("embedded", "Asia/Ho_Chi_Minh", 3650)


@pytest.mark.parametrize(
    ("profile", "encrypts", "virtual"), [("demo", False, True), ("embedded", True, False), ("server", True, False)]
)
def test_the_demo_alone_has_clear_payloads_and_a_movable_clock(profile: str, encrypts: bool, virtual: bool) -> None:
    settings = load_settings({"profile": profile})
    assert (settings.encrypts_payloads, settings.has_virtual_clock) == (encrypts, virtual)


def test_an_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGATION_API_PORT", "9001")
    assert load_settings().api_port == 9001
    assert load_settings({"api_port": 9002}).api_port == 9002


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ZONE", "Asia/Nowhere", "The setting LEGATION_ZONE: is not the IANA name of a time zone."),
        ("TEMPORAL_ADDRESS", "somewhere", "The setting LEGATION_TEMPORAL_ADDRESS: has the form host:port."),
        (
            "ARGON2_MEMORY_KIB",
            "19455",
            "The setting LEGATION_ARGON2_MEMORY_KIB: Input should be greater than or equal to 19456.",
        ),
        ("ARGON2_PASSES", "1", "The setting LEGATION_ARGON2_PASSES: Input should be greater than or equal to 2."),
        ("OIDC_PROVIDERS", "[{s3cret", "The setting LEGATION_OIDC_PROVIDERS: Input should be a valid tuple."),
        (
            "OIDC_PROVIDERS",
            '[{"name": "a", "organisation": "x", "issuer": "http://login.test", "client_id": "c"}]',
            (
                "The setting LEGATION_OIDC_PROVIDERS_0_ISSUER: an issuer begins with https:// (http:// on this machine "
                "alone)."
            ),
        ),
        (
            "OIDC_PROVIDERS",
            '[{"name": "callback", "organisation": "x", "issuer": "https://login.test", "client_id": "c"}]',
            "The setting LEGATION_OIDC_PROVIDERS_0_NAME: the name “callback” is an address of its own.",
        ),
        ("API_PORT", "99999", "The setting LEGATION_API_PORT: Input should be less than or equal to 65535."),
    ],
)
def test_a_malformed_setting_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    """Not by value: it may be a secret that stands in the wrong variable."""
    monkeypatch.setenv(f"LEGATION_{name}", value)
    with pytest.raises(SettingsRefused) as refused:
        load_settings()
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("url", "origin", "secure"),
    [
        ("https://legation.example", "https://legation.example", True),
        ("https://Legation.Example:443/under/a/path", "https://legation.example", True),
        ("https://legation.example:8443", "https://legation.example:8443", True),
        ("http://legation.example", "http://legation.example", True),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", False),
        ("http://localhost", "http://localhost", False),
        ("http://[::1]:8080", "http://[::1]:8080", False),
    ],
)
def test_the_public_address_says_where_browsers_are_and_whether_cookies_are_secure(
    url: str, origin: str, secure: bool
) -> None:
    """As a browser writes an Origin; only plain http on this machine has cookies that are not secure."""
    settings = load_settings({"public_url": url})
    assert (settings.public_origin, settings.has_secure_cookies) == (origin, secure)


def test_two_providers_have_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is well formed is read, its secret hidden."""
    one = {
        "name": "a",
        "organisation": "x",
        "issuer": "https://login.test",
        "client_id": "c",
        "client_secret": "s3cret",
    }
    monkeypatch.setenv("LEGATION_OIDC_PROVIDERS", json.dumps([one]))
    providers = load_settings().oidc_providers
    assert providers is not None
    assert [(provider.name, provider.issuer) for provider in providers] == [("a", "https://login.test")]
    assert "s3cret" not in repr(providers)
    monkeypatch.setenv("LEGATION_OIDC_PROVIDERS", json.dumps([one, one]))
    with pytest.raises(SettingsRefused, match="two providers have the same name"):
        load_settings()


def test_master_keys_come_from_the_environment_first_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGATION_MASTER_KEY", f"{KEY}, {OLDER}")
    assert load_settings().master_keys() == (b"k" * 32, b"o" * 32)


def test_master_keys_come_from_the_file_else(tmp_path: Path) -> None:
    settings = load_settings()
    settings.master_key_file.parent.mkdir(parents=True)
    settings.master_key_file.write_text(f"{KEY}\n{OLDER}\n")
    settings.master_key_file.chmod(0o600)
    assert settings.master_keys() == (b"k" * 32, b"o" * 32)


def test_a_key_file_that_others_may_read_is_refused() -> None:
    settings = load_settings()
    settings.master_key_file.parent.mkdir(parents=True)
    settings.master_key_file.write_text(KEY)
    settings.master_key_file.chmod(0o640)
    with pytest.raises(SettingsRefused, match="chmod 600"):
        settings.master_keys()


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"k" * 31).decode(), "not base64 at all!"])
def test_a_malformed_master_key_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LEGATION_MASTER_KEY", text)
    with pytest.raises(SettingsRefused) as refused:
        load_settings().master_keys()
    assert str(refused.value) == "LEGATION_MASTER_KEY does not hold 32-byte keys in base64."


def test_checkpoint_keys_are_found_as_master_keys_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, the newest first, else from their own file, which nobody else may read."""
    settings = load_settings()
    with pytest.raises(SettingsRefused, match="There is no checkpoint key: set LEGATION_CHECKPOINT_KEY"):
        settings.checkpoint_keys()
    settings.checkpoint_key_file.parent.mkdir(parents=True)
    settings.checkpoint_key_file.write_text(f"{KEY}\n{OLDER}\n")
    settings.checkpoint_key_file.chmod(0o640)
    with pytest.raises(SettingsRefused, match="chmod 600"):
        settings.checkpoint_keys()
    settings.checkpoint_key_file.chmod(0o600)
    assert settings.checkpoint_keys() == (b"k" * 32, b"o" * 32)
    monkeypatch.setenv("LEGATION_CHECKPOINT_KEY", OLDER)
    assert load_settings().checkpoint_keys() == (b"o" * 32,)


def test_a_witness_is_reached_safely_and_its_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold a secret; plain http leaves this machine to nobody."""
    monkeypatch.setenv("LEGATION_WITNESS_URL", "http://witness.example/s3cret")
    with pytest.raises(SettingsRefused) as refused:
        load_settings()
    assert str(refused.value) == (
        "The setting LEGATION_WITNESS_URL: begins with https:// (http:// on this machine alone)."
    )
    monkeypatch.setenv("LEGATION_WITNESS_URL", "https://witness.example/s3cret")
    assert "s3cret" not in repr(load_settings())
