"""The decision as a local activity: it asks the registers, calls the pure decider, and its result is recorded."""

from collections import OrderedDict

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain import conflicts
from domain.decide import decide_all
from domain.decision import SYSTEM, Actor, Context, DecideInput, Decision, participant_of
from domain.entitlement import asked_after
from domain.invitations import to_be_collected
from domain.mail import named_messages
from domain.observations import asked_about
from domain.seal import Head
from domain.stand_ins import ASKING
from domain.state import Delegation
from domain.values import BUSINESS_ZONE, business_date
from storage.collection_rows import Owner
from storage.collections import Collections
from storage.dead_letters import DeadLetters
from storage.editions import Editions
from storage.errors import StoreUnavailable
from storage.standing import Standing
from storage.trips import Trips
from workflows import ports
from workflows.ports import Question

STATES_KEPT = 256


class Decide:
    """Decides commands with the registers as they stand at that instant."""

    def __init__(
        self,
        editions: Editions,
        standing: Standing,
        trips: Trips,
        dead_letters: DeadLetters,
        collections: Collections,
        zone: str = BUSINESS_ZONE,
    ) -> None:
        """`zone` is the business zone in which a new file finds the edition in force today."""
        self._editions = editions
        self._standing = standing
        self._trips = trips
        self._dead_letters = dead_letters
        self._collections = collections
        self._zone = zone
        # A head hash names one state for ever, so what is kept here cannot be stale.
        self._states: OrderedDict[str, Delegation | None] = OrderedDict()

    @activity.defn(name=ports.DECIDE)
    async def decide(self, question: Question) -> Decision:
        """Return the decision. Registers out of reach are tried again; anything else fails this one command.

        The state is asked for, by STATE_WANTED, only when this worker did not itself decide what led to it.
        """
        try:
            asked = DecideInput(
                state=self._state(question),
                head=question.head,
                envelope=question.envelope,
                now=question.now,
            )
            decision, after, head = decide_all(asked, await self._context(asked))
            self._keep(head, after)
            return decision
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None
        except ApplicationError:
            raise
        except Exception as error:  # noqa: BLE001 - one command fails, whatever broke
            # The message of an unknown error may hold what people wrote: only its kind goes into the history.
            activity.logger.error("a decision failed: %s", type(error).__name__)
            raise ApplicationError(type(error).__name__, type="decision_failed", non_retryable=True) from None

    def _state(self, question: Question) -> Delegation | None:
        head = question.head
        if head.seq == 0 or question.state is not None:
            return question.state
        if head.hash not in self._states:
            # Benign: this happens after every restart, and is no failure to be logged.
            raise ApplicationError(
                ports.STATE_WANTED,
                type=ports.STATE_WANTED,
                non_retryable=True,
                category=ApplicationErrorCategory.BENIGN,
            )
        return self._states[head.hash]

    def _keep(self, head: Head, state: Delegation | None) -> None:
        self._states[head.hash] = state
        self._states.move_to_end(head.hash)
        while len(self._states) > STATES_KEPT:
            self._states.popitem(last=False)

    async def _context(self, asked: DecideInput) -> Context:
        zone = asked.state.zone if asked.state else self._zone
        stands = await self._standing.look(
            asked.envelope.actor,
            asked.now,
            on=business_date(asked.now, zone),
            organisation=_organisation(asked),
        )
        newest = await self._editions.get(stands.newest)
        edition = await self._editions.get(asked.state.edition) if asked.state else newest
        actor = _no_account(asked.envelope.actor) or stands.actor
        about = asked_about(asked, edition)
        named = named_messages(asked.envelope.commands)
        after = asked_after(asked.state, asked.envelope.commands)
        asking = any(command.get("type") in ASKING for command in asked.envelope.commands)
        laying_out = any(command.get("type") in conflicts.ASKING for command in asked.envelope.commands)
        return Context.model_construct(
            now=asked.now,
            actor=actor,
            edition=edition,
            newest=newest,
            lineage=stands.lineage,
            desks=dict(stands.desks),
            factor=asked.envelope.factor,
            factor_at=asked.envelope.factor_at,
            sitting=await self._standing.sitting(asked.now, stands.lineage, stands.desks) if laying_out else None,
            stand_ins=await self._standing.stand_ins(asked.now, stands.lineage, stands.desks) if asking else None,
            others=None if after is None else await self._standing.others(after),
            run_by=stands.run_by,
            observations=await self._trips.others(asked.envelope.delegation, about) if about else (),
            uncollected=await self._uncollected(asked),
            posted=await self._dead_letters.posted(asked.envelope.delegation, named) if named else (),
        )

    async def _uncollected(self, asked: DecideInput) -> tuple[str, ...]:
        """Return who is to hear by a collection and has none."""
        wanted = to_be_collected(asked.state, asked.envelope.commands)
        return tuple([who for who, ref in wanted.items() if await self._collections.of(Owner("person", ref)) is None])


def _no_account(actor: str) -> Actor | None:
    """Return the actor that the accounts do not know: the system, or somebody on the file known by a signed link."""
    if actor == SYSTEM:
        return Actor(id=SYSTEM, roles=("system",))
    return Actor(id=actor, roles=("participant",)) if participant_of(actor) else None


def _organisation(asked: DecideInput) -> str | None:
    """Return whose file it is, or is to be: that of the command that opens it."""
    if asked.state:
        return asked.state.organisation
    named = asked.envelope.commands[0].get("organisation") if asked.envelope.commands else None
    return named if isinstance(named, str) else None
