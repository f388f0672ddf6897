"""What the whole command was told before its verb."""

from dataclasses import dataclass
from pathlib import Path

import typer

from settings import Settings, load_settings


@dataclass(frozen=True)
class Options:
    """`data`: the folder of `--data DIR`, None when it was not given (then LEGATION_DATA_DIR or ./var holds)."""

    data: Path | None = None

    def settings(self, **overrides: object) -> Settings:
        """The settings of the environment, under the options of the command. Refuses with `SettingsRefused`."""
        folder = {} if self.data is None else {"data_dir": self.data}
        return load_settings({**folder, **overrides})


def options(context: typer.Context) -> Options:
    """The options of the command that a verb belongs to."""
    found = context.find_object(Options)
    return found if found is not None else Options()
