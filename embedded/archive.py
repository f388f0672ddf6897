"""The archive of closed runs that the settings name; for composition roots."""

from settings import Settings
from storage.archive_files import ArchiveFiles, ArchiveFolder


def archive_of(settings: Settings) -> ArchiveFiles:
    """Return where this installation keeps the histories of closed runs."""
    return ArchiveFolder(settings.archive_folder)
