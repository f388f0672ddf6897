"""The stack that runs on this command's data folder."""

from embedded.folder import DataFolder, StackRecord
from settings import Settings
from verbs.refusal import Refusal


def running(settings: Settings) -> StackRecord:
    """What runs on the data folder: where the API, the server and the mailbox are. Refuses when nothing runs there."""
    record = DataFolder(settings.data_dir).read()
    if record is None:
        raise Refusal(f"Legation does not run on {settings.data_dir}: start it with `legation up`.")
    return record
