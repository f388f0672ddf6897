"""The decision as a local activity: it asks the registers, calls the pure decider, and its result is recorded."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.decide import decide_all
from domain.decision import SYSTEM, Actor, Context, DecideInput, Decision
from domain.values import BUSINESS_ZONE, business_date
from storage.accounts import Accounts
from storage.editions import Editions
from storage.errors import StoreUnavailable
from workflows import ports


class Decide:
    """Decides commands with the registers as they stand at that instant."""

    def __init__(self, editions: Editions, accounts: Accounts, zone: str = BUSINESS_ZONE) -> None:
        """`zone` is the business zone in which a new file finds the edition in force today."""
        self._editions = editions
        self._accounts = accounts
        self._zone = zone

    @activity.defn(name=ports.DECIDE)
    async def decide(self, asked: DecideInput) -> Decision:
        """Return the decision. Registers out of reach are tried again; anything else fails this one command."""
        try:
            context = await self._context(asked)
            return decide_all(asked, context)[0]
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None
        except ApplicationError:
            raise
        except Exception as error:  # noqa: BLE001 - one command fails, whatever broke
            # The message of an unknown error may hold what people wrote: only its kind goes into the history.
            activity.logger.error("a decision failed: %s", type(error).__name__)
            raise ApplicationError(type(error).__name__, type="decision_failed", non_retryable=True) from None

    async def _context(self, asked: DecideInput) -> Context:
        zone = asked.state.zone if asked.state else self._zone
        newest = await self._editions.effective(business_date(asked.now, zone))
        edition = await self._editions.get(asked.state.edition) if asked.state else newest
        return Context.model_construct(
            now=asked.now, actor=await self._actor(asked.envelope.actor), edition=edition, newest=newest
        )

    async def _actor(self, actor: str) -> Actor:
        if actor == SYSTEM:
            return Actor(id=SYSTEM, roles=("system",))
        account = await self._accounts.get(actor)
        return account.actor if account else Actor(id=actor, roles=())
