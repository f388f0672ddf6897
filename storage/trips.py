"""Who travels abroad how often: a question to the read tables of all files."""

from sqlalchemy import func, select

from domain.decision import Observed
from domain.observations import LEADER_TRIPS, AskedAbout
from storage.engine import Database
from storage.read_model import trips


class Trips:
    """Counts trips across files, as far as the read tables have come."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def others(self, delegation_id: str, asked: AskedAbout) -> tuple[Observed, ...]:
        """Return, for each person asked about, on how many other outbound files of the year they travel; 0 too.

        A person is known by the reference that files name: somebody entered twice counts as two.
        """
        count = (
            select(trips.c.person, func.count().label("trips"))
            .where(
                trips.c.person.in_(asked.persons), trips.c.year == asked.year, trips.c.delegation_id != delegation_id
            )
            .group_by(trips.c.person)
        )
        async with self._database.reading() as connection:
            found = {row.person: row.trips for row in await connection.execute(count)}
        return tuple(Observed(what=LEADER_TRIPS, person=person, value=found.get(person, 0)) for person in asked.persons)
