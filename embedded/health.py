"""Whether a part does its work, asked of the part itself: no check looks at anything but an answer."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable

import httpx2
from pydantic import BaseModel, ConfigDict

from embedded.ports import HOST, Ports
from locales import mark

TIMEOUT_SECONDS = 3.0

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, since only plain HTTP on this machine is asked. Otherwise each check would load the system's list of
authorities: 80 ms of computing, several times every few seconds, as long as the stack runs.
"""


class Health(BaseModel):
    """`ready`: does its work. `alive`: answers at all; a part that does not for long is killed and started again.

    `detail` is a text marked for translation.
    """

    model_config = ConfigDict(frozen=True)

    ready: bool
    alive: bool
    detail: str


Check = Callable[[int], Awaitable[Health]]
"""Asks the part whose process id is given."""

READY = Health(ready=True, alive=True, detail=mark("ready"))


def check_of(part: str, ports: Ports, namespace: str, task_queue: str, *, own_server: bool) -> Check:
    """The check of a part by its name: `temporal`, `mailbox`, `api`, `worker`, `worker-2` and so on."""
    if part == "temporal":
        return temporal_server(ports.temporal_http, namespace)
    if part == "mailbox":
        return mailbox(ports.smtp, ports.imap)
    if part == "api":
        return api(ports.api)
    return worker(ports.temporal_http, namespace, task_queue) if own_server else process_only()


def temporal_server(http_port: int, namespace: str) -> Check:
    """Ready when the frontend describes the namespace, which it reads from its database."""
    url = f"http://{HOST}:{http_port}/api/v1/namespaces/{namespace}"

    async def check(_pid: int) -> Health:
        status = await _status(url)
        if status == 200:
            return READY
        return Health(ready=False, alive=status is not None, detail=_answer(status))

    return check


def worker(http_port: int, namespace: str, task_queue: str) -> Check:
    """Ready when the server sees this very process poll the task queue for workflow tasks.

    The client's identity must be the SDK's own, `pid@host`. A killed worker's poller stays listed for minutes, which
    is why the process id is compared.
    """
    url = f"http://{HOST}:{http_port}/api/v1/namespaces/{namespace}/task-queues/{task_queue}"

    async def check(pid: int) -> Health:
        try:
            async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, verify=NO_AUTHORITIES) as client:
                answer = await client.get(url, params={"taskQueueType": "TASK_QUEUE_TYPE_WORKFLOW"})
            pollers = answer.json().get("pollers", []) if answer.status_code == 200 else []
        except (httpx2.HTTPError, ValueError):
            return Health(ready=False, alive=True, detail=mark("the server does not say whether it polls"))
        if any(str(poller.get("identity", "")).startswith(f"{pid}@") for poller in pollers):
            return READY
        return Health(ready=False, alive=True, detail=mark("does not poll its task queue"))

    return check


def api(port: int) -> Check:
    """Ready when `/api/v1/health` says so; alive when it answers anything."""
    url = f"http://{HOST}:{port}/api/v1/health"

    async def check(_pid: int) -> Health:
        status = await _status(url)
        if status == 200:
            return READY
        return Health(ready=False, alive=status is not None, detail=_answer(status))

    return check


async def archive(api_port: int) -> Health | None:
    """What the API says of the archive of closed runs; None where it does not answer."""
    try:
        async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, verify=NO_AUTHORITIES) as client:
            said = (await client.get(f"http://{HOST}:{api_port}/api/v1/health")).json()["parts"]["archive"]
        return Health(ready=bool(said["ready"]), alive=True, detail=str(said["detail"]))
    except (httpx2.HTTPError, ValueError, LookupError, TypeError):
        return None


def mailbox(smtp_port: int, imap_port: int) -> Check:
    """Ready when SMTP (RFC 5321: 220) and IMAP (RFC 9051: * OK) greet."""

    async def check(_pid: int) -> Health:
        greetings = await asyncio.gather(_greeting(smtp_port), _greeting(imap_port))
        expected = (b"220", b"* OK")
        if all(given.startswith(wanted) for given, wanted in zip(greetings, expected, strict=True)):
            return READY
        return Health(ready=False, alive=any(greetings), detail=mark("does not greet"))

    return check


def process_only() -> Check:
    """For a worker of a server elsewhere: it runs; what it does is seen in the API's health."""

    async def check(_pid: int) -> Health:
        return Health(ready=True, alive=True, detail=mark("runs"))

    return check


async def _status(url: str) -> int | None:
    try:
        async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, verify=NO_AUTHORITIES) as client:
            return (await client.get(url)).status_code
    except httpx2.HTTPError:
        return None


def _answer(status: int | None) -> str:
    return mark("no answer") if status is None else mark("answers that it is not ready")


async def _greeting(port: int) -> bytes:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port, family=socket.AF_INET)
            try:
                return await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return b""
