"""By what right a signature says it is given: TM., KT., TL., TUQ., for whom, and in which office.

A signature block names two things one below the other: the prefix with its principal, and the office of who signs, such
as KT. CHỦ TỊCH / PHÓ CHỦ TỊCH (Decree 30/2020, appendix I, II.7). A substitute signs KT. for whom they stand in for.
"""

from domain.decision import Actor
from domain.events import Right, StepPlan


def in_full(right: Right, plan: StepPlan | None, actor: Actor) -> Right:
    """Return a right with what its signature block says beyond the position: the principal, or a substitute's office.

    Of several positions that a substitute holds it is the one held longest.
    """
    if right.on_behalf_of:
        held = min(actor.tenures, key=lambda one: (one.since, one.position), default=None)
        return right.model_copy(update={"office": held.position}) if held else right
    if plan is None or plan.principal_vi is None or right.prefix != plan.prefix:
        return right
    return right.model_copy(update={"principal_vi": plan.principal_vi, "principal_en": plan.principal_en})
