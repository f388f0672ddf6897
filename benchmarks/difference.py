"""What it costs to say who is to be told what: the difference between what calendars hold and what they should hold.

No installation is asked; the domain alone is timed, on files as large as a programme and beyond.
"""

from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from domain.commands import Audience
from domain.events import CalendarView
from domain.invitations import calendar_messages
from domain.state import Delegation, Participant, Phase, Published, Told
from domain.values import Moment, PersonRef

NAME = "difference"
VIEWERS = 100
SIZES = (50, 500, 5_000)
START = datetime(2030, 4, 6, 2, tzinfo=UTC)
NOW = START - timedelta(days=30)


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Time the difference of one moved item, and of a programme moved as a whole, for 100 viewers."""
    repetitions = 3 if quick else 11
    one = _timed({size: (programme(size, moved=1), 1) for size in SIZES}, repetitions)
    whole = _timed({size: (programme(size, moved=size), size) for size in SIZES}, repetitions)
    findings.add(
        NAME,
        [
            *(Figure(f"{size} items, one moved", value, "ms", f"{VIEWERS} viewers") for size, value in one.items()),
            *(Figure(f"{size} items, all moved", value, "ms", f"{VIEWERS} viewers") for size, value in whole.items()),
        ],
        [
            Ratio("difference_one_moved_growth_to_linear", growth(one), aim=1.5),
            Ratio("difference_all_moved_growth_to_linear", growth(whole), aim=1.5),
        ],
    )


def growth(taken: dict[int, float]) -> float:
    """Return how many times more an item costs among 5,000 than among 50; 1 is linear."""
    return taken[SIZES[-1]] / taken[SIZES[0]] / (SIZES[-1] / SIZES[0])


def programme(size: int, *, moved: int) -> Delegation:
    """Return a file whose 100 delegates hold every one of its items, the first `moved` of which were moved since."""
    people = {
        f"delegate-{number}": Participant(
            id=f"delegate-{number}",
            person=PersonRef(ref=f"per_delegate{number:04}", commitment="0" * 64),
            role="head" if number == 0 else "member",
        )
        for number in range(VIEWERS)
    }
    views = {f"item-{number}": _view(number, timedelta()) for number in range(size)}
    now = {f"item-{number}": _view(number, timedelta(hours=number < moved)) for number in range(size)}
    everybody = Audience(groups=("delegates",))
    return Delegation(
        id="measured",
        phase=Phase.INVITING,
        edition="0" * 64,
        zone="Asia/Ho_Chi_Minh",
        direction="inbound",
        title="Measured",
        purpose="Measured",
        organisation="song-lam-union",
        partner="Friendship associations",
        countries=("JP",),
        starts=START.date(),
        ends=START.date(),
        opened_by="coordinator",
        opened_at=NOW,
        coordinator="coordinator",
        people=people,
        programme=2,
        published={name: Published(view=view, audience=everybody, since=NOW) for name, view in now.items()},
        published_for=tuple(people),
        told={name: Told(sequence=0, view=view, holders=tuple(people)) for name, view in views.items()},
    )


def _view(number: int, later: timedelta) -> CalendarView:
    starts, ends = (_moment(START + later + timedelta(minutes=30 * (number + more))) for more in (0, 1))
    return CalendarView(kind="session", title=f"Session {number}", starts=starts, ends=ends, place="Friendship House")


def _moment(instant: datetime) -> Moment:
    return Moment(local=instant.strftime("%Y-%m-%dT%H:%M"), zone="UTC", instant=instant)


def _timed(states: dict[int, tuple[Delegation, int]], repetitions: int) -> dict[int, float]:
    """Return milliseconds by size, in turns; each block goes through equally many items, however small the file."""
    taken: dict[int, list[float]] = {size: [] for size in states}
    for _ in range(repetitions):
        for size, (state, expected) in states.items():
            calls = SIZES[-1] // size
            begun = perf_counter()
            found = [len(calendar_messages(state, NOW)) for _ in range(calls)]
            taken[size].append((perf_counter() - begun) * 1000 / calls)
            if set(found) != {expected}:
                raise RuntimeError(f"{found[0]} messages instead of {expected}")
    return {size: median(times) for size, times in taken.items()}
