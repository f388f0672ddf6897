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
from activities.outbox import MailServerUnavailable, MailWaits, Outbox
from activities.resending import Resending
from activities.trail import TrailBehind
from documents.typeset import TypesettingFailed
from domain.commands import RecordDelivery, RecordDocument, RecordNotice
from storage.errors import StoreUnavailable
from workflows import ports
from workflows.ports import CarryOutInput, Command, errand_of

Recorded = RecordDelivery | RecordDocument | RecordNotice | None


class Effects:
    """The one activity behind every effect."""

    def __init__(
        self,
        invitations: Invitations,
        notices: Notices,
        documents: Documents,
        collections: CollectionSync,
        resending: Resending,
        outbox: Outbox,
        attempts: int,
        *,
        skipped_pauses: bool = False,
    ) -> None:
        """`attempts`: after how many an effect is given up and shown to a person.

        A store that is away, or a journal that is behind, uses none of them up, for they come back, and mail that waits
        for days is among what would be given up; but for `skipped_pauses` (a clock that can be moved), where thousands
        of attempts would be over in a moment.
        """
        self._outbox = outbox
        self._waits_for_store = not skipped_pauses
        self._attempts = attempts
        self._kinds: dict[str, Callable[[CarryOutInput, Callable[[], None]], Awaitable[Recorded]]] = {
            "issue_calendars": invitations.issue_calendars,
            "mail_letter": notices.mail_letter,
            "send_notice": notices.send_notice,
            "render_document": documents.render_document,
            "sync_calendars": collections.sync_calendars,
            "resend_mail": resending.resend_mail,
        }

    @activity.defn(name=ports.CARRY_OUT)
    async def carry_out(self, asked: CarryOutInput) -> Command | None:
        """Carry an effect out and return the command that records its outcome, if the trail is to have it.

        Mail that waits for hours does not hold the activity: it is tried again when its next attempt is due. What a
        mail server did not take in all attempts becomes dead letters, and the outcome says whom it did not reach.
        """
        final = activity.info().attempt >= self._attempts
        try:
            async with beating():
                recorded = await self._carried_out(asked, final=final)
            return recorded.model_dump(mode="json") if recorded is not None else None
        except MailWaits as waits:
            raise ApplicationError("MailWaits", type="MailWaits", next_retry_delay=waits.after) from None
        except (StoreUnavailable, TrailBehind) as error:
            raise self._failure(error, final=final and not self._waits_for_store) from None
        except MailServerUnavailable as error:
            raise self._failure(error, final=final) from None
        except TypesettingFailed as error:
            raise self._failure(error, final=True) from None
        except Exception as error:  # noqa: BLE001 - one effect fails, whatever broke
            # Neither the history nor the log gets an unknown error's text: it may name people.
            where = traceback.extract_tb(error.__traceback__)[-1]
            activity.logger.error(
                "the effect %s failed: %s at %s:%s", asked.effect.kind, type(error).__name__, where.name, where.lineno
            )
            raise self._failure(error, final=final) from None

    async def _carried_out(self, asked: CarryOutInput, *, final: bool) -> Recorded:
        carry_out = self._kinds[asked.effect.kind]
        try:
            return await carry_out(asked, activity.heartbeat)
        except MailServerUnavailable:
            if not final:
                raise
        await self._outbox.bury(errand_of(asked))
        return await carry_out(asked, activity.heartbeat)

    def _failure(self, error: Exception, *, final: bool) -> ApplicationError:
        kind = type(error).__name__
        return ApplicationError(kind, type=ports.GIVEN_UP if final else kind, non_retryable=final)
