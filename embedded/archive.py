"""The archive of closed runs that the settings name; for composition roots."""

from urllib.parse import urlsplit

from settings import PREFIX, Settings, SettingsRefused
from storage.archive_files import ArchiveFiles, ArchiveFolder


def archive_of(settings: Settings) -> ArchiveFiles:
    """Return where this installation keeps the histories of closed runs; nothing is asked of it yet.

    Refuses (SettingsRefused) a bucket without its key, and without the library that speaks to it.
    """
    if settings.archive_url is None:
        return ArchiveFolder(settings.archive_folder)
    if settings.archive_key is None or settings.archive_secret is None:
        raise SettingsRefused(f"The settings {PREFIX}ARCHIVE_KEY and {PREFIX}ARCHIVE_SECRET are missing.")
    try:
        # Installed with the extra `s3` alone.
        from storage.archive_bucket import ArchiveBucket, Bucket
    except ImportError:
        raise SettingsRefused(
            f"The setting {PREFIX}ARCHIVE_URL needs the library obstore: install legation[s3]."
        ) from None
    parts = urlsplit(settings.archive_url)
    return ArchiveBucket(
        Bucket(
            name=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=settings.archive_endpoint,
            region=settings.archive_region,
            key=settings.archive_key,
            secret=settings.archive_secret.get_secret_value(),
        )
    )
