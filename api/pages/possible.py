"""What somebody may do with a file now, and why not: asked of the decider itself, and nothing is sealed for asking."""

from dataclasses import dataclass

from fastapi import Request

from api.installation import Installation
from api.pages.problems import sentence_of
from api.problems import refused
from domain.commands import Command
from domain.decide import barred, decide
from domain.decision import Actor, Context, Refusal
from domain.sign_in import Acting
from domain.state import Delegation
from domain.values import Value, business_date
from storage.metadata import utc_now
from storage.queries import File
from words.edition import EditionWords


@dataclass(frozen=True)
class Possible:
    """A file as somebody finds it, with the registers as they stand."""

    state: Delegation
    context: Context

    def refusal(self, command: Command) -> Refusal | None:
        """Return why this very command would be refused now, or None."""
        return decide(self.state.id, self.state, command, self.context).refusal

    def coordinating(self) -> "Possible":
        """Return the same for the file's coordinator: what is missing does not depend on who reads of it."""
        coordinator = Actor(id=self.state.coordinator, roles=("coordinator",))
        return Possible(self.state, self.context.model_copy(update={"actor": coordinator}))

    def barred(self, kind: type[Value]) -> Refusal | None:
        """Return why no command of a kind is taken now from this person, or None if that depends on what it says."""
        return barred(self.state, kind, self.context)

    def may(self, kind: type[Value]) -> bool:
        """Return whether a command of a kind may be taken now from this person."""
        return self.barred(kind) is None


async def possible_of(at: Installation, file: File, actor: Acting) -> Possible:
    """Return what is possible now. In the demo a file's clock is ahead of the wall's: its last event says how late."""
    state, now = file.state, max(utc_now(), file.updated_at)
    stands = await at.registers.standing.look(
        actor.id, now, on=business_date(now, state.zone), organisation=state.organisation
    )
    edition, newest = await at.editions.get(state.edition), await at.editions.get(stands.newest)
    context = Context(
        now=now,
        actor=stands.actor,
        edition=edition,
        newest=newest,
        lineage=stands.lineage,
        desks=dict(stands.desks),
    )
    return Possible(state, context)


def why_not(request: Request, refusal: Refusal | None, rules: EditionWords | None = None) -> str | None:
    """Return the sentence of a refusal for the reader; with `rules`, limits and steps by their titles."""
    if refusal is None:
        return None
    params = dict(refusal.params)
    if rules is not None:
        titles = {"limit": rules.limit, "step": rules.step}
        params |= {name: titles[name](str(value)) for name, value in params.items() if name in titles}
    return sentence_of(request, refused(refusal.model_copy(update={"params": params})))[1]
