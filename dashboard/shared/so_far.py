"""What stands below figures that are shown before all are there."""

from cxr_core.words import counted


def so_far_words(labels: int, to_come: str) -> str:
    """Say how many labels are final, and what is still computed: the other labels, and what all of them make."""
    return f"{counted(labels, 'label')} so far, whose figures stay. Still computed: the other labels, and {to_come}."
