"""Carrying out effects by name; each is idempotent by its key, and its outcome comes back as a command."""

import traceback
from collections.abc import Awaitable, Callable

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating
from activities.collections import CollectionSync
from activities.documents import Documents
from activities.invitations import Invitations
from activities.notices import Notices
from activities.outbox import MailServerUnavailable
from activities.trail import TrailBehind
from documents.typeset import TypesettingFailed
from domain.commands import RecordDelivery, RecordDocument, RecordNotice
from storage.errors import StoreUnavailable
from workflows import ports
from workflows.ports import CarryOutInput, Command

Recorded = RecordDelivery | RecordDocument | RecordNotice | None


class Effects:
    """The one activity behind every effect."""

    def __init__(
        self,
        invitations: Invitations,
        notices: Notices,
        documents: Documents,
        collections: CollectionSync,
        attempts: int,
    ) -> None:
        """`attempts`: after how many an effect is given up and shown to a person."""
        self._attempts = attempts
        self._kinds: dict[str, Callable[[CarryOutInput, Callable[[], None]], Awaitable[Recorded]]] = {
            "issue_calendars": invitations.issue_calendars,
            "mail_letter": notices.mail_letter,
            "send_notice": notices.send_notice,
            "render_document": documents.render_document,
            "sync_calendars": collections.sync_calendars,
        }

    @activity.defn(name=ports.CARRY_OUT)
    async def carry_out(self, asked: CarryOutInput) -> Command | None:
        """Carry an effect out and return the command that records its outcome, if the trail is to have it."""
        try:
            async with beating():
                recorded = await self._kinds[asked.effect.kind](asked, activity.heartbeat)
            return recorded.model_dump(mode="json") if recorded is not None else None
        except (MailServerUnavailable, StoreUnavailable, TrailBehind) as error:
            raise self._failure(error, final=activity.info().attempt >= self._attempts) from None
        except TypesettingFailed as error:
            raise self._failure(error, final=True) from None
        except Exception as error:  # noqa: BLE001 - one effect fails, whatever broke
            # Neither the history nor the log gets an unknown error's text: it may name people.
            where = traceback.extract_tb(error.__traceback__)[-1]
            activity.logger.error(
                "the effect %s failed: %s at %s:%s", asked.effect.kind, type(error).__name__, where.name, where.lineno
            )
            raise self._failure(error, final=activity.info().attempt >= self._attempts) from None

    def _failure(self, error: Exception, *, final: bool) -> ApplicationError:
        kind = type(error).__name__
        return ApplicationError(kind, type=ports.GIVEN_UP if final else kind, non_retryable=final)
