"""The stack that runs on this command's data folder."""

from embedded.folder import DataFolder, StackRecord
from locales import mark
from settings import Settings
from verbs.refusal import Refusal


def running(settings: Settings) -> StackRecord:
    """What runs on the data folder: where the API, the server and the mailbox are. Refuses when nothing runs there."""
    record = DataFolder(settings.data_dir).read()
    if record is None:
        raise Refusal(
            mark("Legation does not run on %(folder)s: start it with `legation up`."), folder=settings.data_dir
        )
    return record
