"""What somebody may do with a file now, and why not: asked of the decider itself, and nothing is sealed for asking."""

from dataclasses import dataclass

from fastapi import Request

from api.installation import Installation
from api.pages.problems import sentence_of
from api.problems import refused
from domain.commands import Command
from domain.conflicts import Settled, desks_of, settle
from domain.decide import barred, decide
from domain.decision import Actor, Context, Refusal
from domain.policies import Matter
from domain.request import choose_policy
from domain.sign_in import Acting
from domain.state import Delegation
from domain.values import Value, business_date
from locales import Language, translator
from storage.metadata import utc_now
from storage.queries import File
from words.edition import EditionWords
from words.policies import warnings


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

    def chain(self, matter: Matter) -> Settled | None:
        """Return the chain that a submission by the coordinator would get now; None where no policy applies.

        Who sits at its desks is known after `seated`.
        """
        state = self.state
        policy = choose_policy(state, self.context.edition, matter).policy
        own = state.own
        return settle(policy.steps, desks_of(state, self.context, own)) if policy else None

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


async def seated(at: Installation, possible: Possible) -> Possible:
    """Return the same, knowing who sits at the file's desks: what lays out a chain asks for it."""
    context = possible.context
    sitting = await at.registers.standing.sitting(context.now, context.lineage, context.desks)
    return Possible(possible.state, context.model_copy(update={"sitting": sitting}))


def chain_warnings(settled: Settled | None, rules: EditionWords, language: Language) -> tuple[str, ...]:
    """Return in sentences which steps of a chain others decide, and which nobody can sign as things stand."""
    if settled is None:
        return ()
    conflicted = [one.model_dump() for one in settled.conflicted]
    hindered = [one.model_dump() for one in settled.hindered]
    return tuple(warnings(conflicted, hindered, rules.step, rules.position, translator(language)))


def why_not(request: Request, refusal: Refusal | None, rules: EditionWords | None = None) -> str | None:
    """Return the sentence of a refusal for the reader; with `rules`, limits and steps by their titles."""
    if refusal is None:
        return None
    params = dict(refusal.params)
    if rules is not None:
        titles = {"limit": rules.limit, "step": rules.step}
        params |= {name: titles[name](str(value)) for name, value in params.items() if name in titles}
    return sentence_of(request, refused(refusal.model_copy(update={"params": params})))[1]
