"""A delegation's durable life: one workflow, one command at a time, every decision recorded and never made again."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from domain.canonical import digest_of
    from domain.decision import SYSTEM, Decision, Effect, Envelope, Receipt, Refusal, Remembered
    from domain.state import Phase
    from workflows import ports
    from workflows.carried import Carried
    from workflows.ports import CarryOutInput, Command, Ended, Inspection, ProjectInput, Question

UPDATES_A_RUN = 150
"""Long runs replay slowly after a crash; the server's own limit is 2,000 updates a run."""

BURST = 64
QUIET = timedelta(milliseconds=500)
DRAINING = timedelta(seconds=5)
DECIDING = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    maximum_attempts=3,
    non_retryable_error_types=["decision_failed", ports.STATE_WANTED],
)
PROJECTING = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
CARRYING_OUT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(minutes=5),
    non_retryable_error_types=[ports.GIVEN_UP],
)

PHASE = SearchAttributeKey.for_keyword("LegationPhase")
DIRECTION = SearchAttributeKey.for_keyword("LegationDirection")
ORGANISATION = SearchAttributeKey.for_keyword("LegationOrganisation")
YEAR = SearchAttributeKey.for_int("LegationYear")


@workflow.defn(name="Delegation")
class DelegationWorkflow:
    """Runs one delegation from its opening until its file is closed; `Carried` goes from run to run."""

    @workflow.init
    def __init__(self, carried: Carried) -> None:
        self._file = carried
        self._turn = asyncio.Lock()
        self._underway: dict[str, asyncio.Task[None]] = {}
        self._updates = 0
        self._draining = False

    @workflow.run
    async def run(self, carried: Carried) -> Ended:
        """Project, carry out and watch deadlines until the file is closed and everything asked for is done."""
        while True:
            self._start_effects()
            if self._ended:
                return Ended(delegation=self._file.delegation, head=self._file.head)
            # Before the outbox: under steady load it is never empty, and it travels with the rest.
            if self._full:
                await self._continue_as_new()
            if self._file.outbox:
                await self._project()
            else:
                await self._wait()

    @workflow.update(name="execute")
    async def execute(self, envelope: Envelope) -> Receipt:
        """Decide one envelope of commands. A refusal fails the update with its stable code as the failure's type."""
        self._updates += 1
        async with self._turn:
            return await self._decide(envelope)

    @execute.validator
    def _admit(self, envelope: Envelope) -> None:
        if self._draining:
            raise ApplicationError("the run is about to be continued", type="draining")

    @workflow.query
    def inspect(self) -> Inspection:
        """Show an operator where the file stands."""
        file = self._file
        return Inspection(
            delegation=file.delegation,
            seq=file.head.seq,
            head=file.head.hash,
            phase=file.phase,
            outbox=len(file.outbox),
            effects=tuple(effect.key for effect in file.effects),
            wake=file.wake,
            updates=self._updates,
        )

    # Deciding

    async def _decide(self, envelope: Envelope) -> Receipt:
        if earlier := self._file.recalled(envelope.command_id):
            return _repeat(earlier, envelope)
        phase = self._file.phase
        question = Question(head=self._file.head, envelope=envelope, now=workflow.now())
        try:
            decision = await self._ask(question)
            # From what the file holds now: state and head wait for this turn, outbox and effects went on meanwhile.
            file, receipt = self._file.after(envelope, decision)
        except FailureError as error:
            # What failed is ours, not the command: it is not remembered, and the caller may ask again.
            raise ApplicationError("the command could not be decided", type=_kind(error)) from None
        except Exception as error:
            raise ApplicationError("the decision could not be folded", type="decision_failed") from error

        # Assigned last: whatever failed above has left the file as it was.
        self._file = file
        if file.phase != phase:
            self._show_phase()
        if decision.refusal:
            raise _refused(decision.refusal, decision)
        return receipt

    async def _ask(self, question: Question) -> Decision:
        try:
            return await self._decided(question)
        except FailureError as error:
            if _kind(error) != ports.STATE_WANTED:
                raise
        return await self._decided(question.model_copy(update={"state": self._file.state}))

    async def _decided(self, question: Question) -> Decision:
        decision: Decision = await workflow.execute_local_activity(
            ports.DECIDE,
            question,
            result_type=Decision,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=DECIDING,
        )
        return decision

    def _show_phase(self) -> None:
        if state := self._file.state:
            workflow.upsert_search_attributes(
                [
                    PHASE.value_set(state.phase),
                    DIRECTION.value_set(state.direction),
                    ORGANISATION.value_set(state.organisation),
                    YEAR.value_set(state.starts.year),
                ]
            )

    async def _command(self, command_id: str, command: Command) -> None:
        """Decide a command of the system's own; a refusal of one (recorded already) is no failure of the run."""
        commands = (command,)
        envelope = Envelope(
            delegation=self._file.delegation,
            command_id=command_id,
            actor=SYSTEM,
            commands=commands,
            digest=digest_of(commands),
        )
        async with self._turn:
            try:
                await self._decide(envelope)
            except ApplicationError as error:
                if error.type in ("decision_failed", "store_unavailable"):
                    raise
                workflow.logger.info("the system's command was refused: %s", error.type)

    # Projecting

    async def _project(self) -> None:
        """Bring the outbox to the journal: at once when something waits for it, otherwise once per burst."""
        if not self._pressing:
            await self._until(lambda: self._pressing or self._full, QUIET)
        burst = self._file.outbox
        await workflow.execute_activity(
            ports.PROJECT,
            ProjectInput(delegation=self._file.delegation, events=burst),
            start_to_close_timeout=timedelta(seconds=10),
            # Projected twice is projected once, so here a silent worker may soon be taken for dead.
            heartbeat_timeout=timedelta(seconds=3),
            retry_policy=PROJECTING,
        )
        self._file = self._file.projected(len(burst))

    # Carrying out

    def _start_effects(self) -> None:
        """Start what the journal already has the reason for; each effect goes its own way, none holds up another."""
        first_unprojected = self._file.outbox[0].seq if self._file.outbox else self._file.head.seq + 1
        for effect in self._file.effects:
            if effect.key not in self._underway and effect.seq < first_unprojected and not self._draining:
                self._underway[effect.key] = asyncio.create_task(self._carry_out(effect))

    async def _carry_out(self, effect: Effect) -> None:
        try:
            outcome = await workflow.execute_activity(
                ports.CARRY_OUT,
                CarryOutInput(delegation=self._file.delegation, effect=effect),
                result_type=Command | None,  # type: ignore[arg-type]  # a union is a type to the converter
                start_to_close_timeout=timedelta(minutes=5),
                heartbeat_timeout=timedelta(seconds=10),
                retry_policy=CARRYING_OUT,
            )
        except ActivityError:
            outcome = {"type": "record_failure", "effect": effect.key, "code": ports.GIVEN_UP}
        if outcome is not None:
            await self._persist(f"effect:{effect.key}:{effect.seq}", outcome)
        self._file = self._file.carried_out(effect.key)
        del self._underway[effect.key]

    async def _persist(self, command_id: str, command: Command) -> None:
        """Record an outcome or a passed deadline, however long the registers are out of reach."""
        pause = timedelta(seconds=1)
        while True:
            try:
                return await self._command(command_id, command)
            except ApplicationError as error:
                workflow.logger.warning("the system's command is tried again in %s: %s", pause, error.type)
            await workflow.sleep(pause)
            pause = min(pause * 2, timedelta(minutes=1))

    # Waiting, ending, continuing

    async def _wait(self) -> None:
        """Wait for work or for the next deadline, whichever comes first; a deadline is decided like a command."""
        wake = self._file.wake
        due = wake is not None and wake <= workflow.now()
        if not due:
            timeout = wake - workflow.now() if wake else None
            due = not await self._until(lambda: self._work or self._file.wake != wake, timeout)
        if due and wake is not None:
            await self._persist(f"tick:{wake.isoformat()}:{self._file.head.seq}", {"type": "tick"})

    async def _until(self, condition: Callable[[], bool], timeout: timedelta | None) -> bool:
        try:
            await workflow.wait_condition(condition, timeout=timeout)
        except TimeoutError:
            return False
        return True

    async def _continue_as_new(self) -> None:
        """Hand everything to the next run. Nothing new is admitted meanwhile; callers try again with the same id."""
        self._draining = True
        await self._until(lambda: not self._underway, DRAINING)
        await workflow.wait_condition(workflow.all_handlers_finished)
        # The lock: a decision under way would be recorded in this run and missing from the next.
        async with self._turn:
            workflow.continue_as_new(self._file)

    @property
    def _work(self) -> bool:
        return bool(self._file.outbox) or self._ended or self._full

    @property
    def _pressing(self) -> bool:
        """Whether the outbox is not to wait: an effect needs it, it is long, or the system's own events are in it.

        Those reach the journal by no other way, and whoever sent the next command waits until they have.
        """
        outbox = self._file.outbox
        return (
            len(outbox) >= BURST
            or any(effect.key not in self._underway for effect in self._file.effects)
            or any(event.actor == SYSTEM for event in outbox)
        )

    @property
    def _ended(self) -> bool:
        file = self._file
        refused_to_open = file.state is None and self._updates > 0
        over = refused_to_open or file.phase is Phase.CLOSED
        return over and not file.effects and not file.outbox and workflow.all_handlers_finished()

    @property
    def _full(self) -> bool:
        return self._updates >= UPDATES_A_RUN or workflow.info().is_continue_as_new_suggested()


def _kind(error: FailureError) -> str:
    # What a local activity raised comes as it is; what befell it, a timeout say, as an ActivityError.
    cause = error.cause if isinstance(error, ActivityError) else error
    return cause.type if isinstance(cause, ApplicationError) and cause.type else "decision_failed"


def _repeat(earlier: Remembered, envelope: Envelope) -> Receipt:
    if earlier.digest != envelope.digest:
        raise ApplicationError("the same key came with another body", type="idempotency_key_reused")
    if earlier.refusal or earlier.receipt is None:
        raise _refused(earlier.refusal or Refusal(code="decision_failed"), Decision())
    return earlier.receipt.model_copy(update={"repeated": True})


def _refused(refusal: Refusal, decision: Decision) -> ApplicationError:
    evidence = [event.model_dump(mode="json") for event in decision.events]
    return ApplicationError(refusal.code, refusal.model_dump(mode="json"), evidence, type="refused", non_retryable=True)
