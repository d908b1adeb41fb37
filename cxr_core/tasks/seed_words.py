"""What is said of two trainings that were compared over their seeds, on a page and on the command line."""

import math

from cxr_core.evaluation.results import LEVEL
from cxr_core.evaluation.seeds import ASKED_DIFFERENCE, MOST_SEEDS, POWER
from cxr_core.tasks.seeds import SeedComparison
from cxr_core.words import counted, percent


def seed_answer(found: SeedComparison) -> str:
    """Return the answer in a sentence: whether A and B can be told apart over seeds and patients."""
    mean = found.mean
    a, b = f"{found.a[0]} ({counted(len(found.a), 'seed')})", f"{found.b[0]} ({counted(len(found.b), 'seed')})"
    if mean.p is None or mean.ci is None:
        return f"Whether {a} and {b} differ beyond chance is not known: {mean.why}."
    ends = f"95 % interval {mean.ci[0]:+.3f} to {mean.ci[1]:+.3f}"
    if mean.p >= LEVEL:
        return f"{a} and {b} cannot be told apart over seeds and patients: mean AUC {mean.value:+.3f}, {ends}."
    better, worse = (a, b) if mean.value > 0 else (b, a)
    return f"{better} ranks better than {worse} over seeds and patients: mean AUC {mean.value:+.3f}, {ends}."


def seed_notes(found: SeedComparison) -> list[str]:
    """Return what the figures rest on, a sentence each."""
    mean = found.mean
    notes = [f"Judged by {found.judge} on {counted(found.n_images, 'image')} of {found.dataset}."]
    if len(found.a) == len(found.b) == 1:
        notes.append(_one_seed(found))
    if mean.floor is not None:
        notes.append(
            f"The seed alone moves the mean AUC by ± {mean.floor.sd:.3f} (standard deviation, "
            f"{mean.floor.freedom:g} degrees of freedom). " + needed_words(mean.seeds_needed)
        )
    if mean.error_patients is not None and math.isfinite(mean.value):
        notes.append(
            f"Other patients alone move the difference by ± {mean.error_patients:.3f} (standard error), which no "
            "number of seeds makes smaller."
        )
    return notes


def _one_seed(found: SeedComparison) -> str:
    if not found.similar or found.mean.floor is None:
        return (
            "One seed each, and no training of this source was repeated on these images: another seed may move a mean "
            "AUC by more than A and B differ. Repeat them with other seeds."
        )
    return (
        f"One seed each: what the seed does is taken from {counted(len(found.similar), 'similar training')} of this "
        "source that was repeated, such as "
        f"{found.similar[0][0]} ({counted(len(found.similar[0]), 'seed')}). Repeat these two to know it of them."
    )


def needed_words(seeds: int | None) -> str:
    """Return in a sentence how many seeds of each of two trainings tell the difference that is asked for."""
    told = f"a difference of {ASKED_DIFFERENCE:g} on these images in {percent(POWER, 0)} of all tries"
    if seeds is None:
        return f"More than {MOST_SEEDS:,} seeds of each would be needed to tell {told}."
    return f"{seeds} seeds of each tell {told}."
