"""What report and model say of a film, and how far a reader agrees with somebody, in words."""

from cxr_core.schema import label_words
from cxr_core.tasks.images import ImageGroup, ListedImage
from cxr_core.tasks.reading_list import AgreementSoFar
from cxr_core.words import counted
from dashboard.shared.formatting import percent, three_digits


def film_words(image: ListedImage, films: ImageGroup) -> str:
    """Return what is said of a film that is in sight."""
    words = [f"Report: {label_words(image.value).lower() if image.value else 'no value'}"]
    if image.score is not None:
        words.append(f"{films.query.model}: {films.scale} {three_digits(image.score)}")
    return " · ".join([*words, image.why])


def agreement_words(other: str, found: AgreementSoFar) -> str:
    """Return how far a reader agrees with `other` so far, with n and the interval or why there is none."""
    if not found.n:
        return f"No film yet that you and {other} call present or absent."
    interval = f"95 %: {percent(found.ci[0])} to {percent(found.ci[1])}" if found.ci else found.why
    return (
        f"You agree with {other} on {found.agreed:,} of {counted(found.n, 'film')}, "
        f"{percent(found.agreed / found.n)} ({interval}). "
        f"Called present: {found.found:,} of {found.n_present:,} that are; absent: "
        f"{found.ruled_out:,} of {found.n_absent:,} that are."
    )
