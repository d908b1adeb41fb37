"""A pack as one ZIP file, with the same bytes each time."""

import io
import zipfile
from collections.abc import Mapping

#: The first date that a ZIP file can hold: none of ours tells anything.
_DATE = (1980, 1, 1, 0, 0, 0)


def zipped(files: Mapping[str, bytes], folder: str) -> bytes:
    """Return files as a ZIP file that unpacks into one folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", _DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()
