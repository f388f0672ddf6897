"""A client of the Temporal server that the settings name; for composition roots."""

from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from settings import Settings


async def connect(settings: Settings, **options: Any) -> Client:
    """Connects; `options` go to `Client.connect` (data converter, interceptors, runtime, identity …).

    In the profile `server` the address, namespace, TLS and API key come from `TEMPORAL_*` variables or the TOML
    profile that they name (temporalio.envconfig); in the others from the settings. A namespace in the environment
    goes before the one in the settings. The identity is left to the SDK (`pid@host`): `embedded.health.worker`
    recognises a worker by it.
    """
    named: dict[str, Any] = {"namespace": settings.temporal_namespace}
    if settings.temporal_address is not None:
        named["target_host"] = settings.temporal_address
    if settings.profile == "server":
        named |= ClientConfig.load_client_connect_config()
    named.setdefault("target_host", "localhost:7233")
    return await Client.connect(**(named | options))
