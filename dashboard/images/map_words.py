"""What the map over a film is, in words."""

from cxr_core.models.activation_maps import LabelMap
from cxr_core.words import decimals

LOOKS_HELP = "Lays over the film what in it speaks for a label in the model (Grad-CAM). The first map takes seconds."
RANDOM_HELP = (
    "The map of the same network with random weights. Where it looks the same, the map says what is in the film and "
    "nothing of what the model learned (Adebayo et al. 2018)."
)
LABEL_HELP = "For which label the map is drawn; the model has one map for each."
OPACITY_HELP = "How much of the film the strongest place of the map hides."


def drawn_words(model: str, label: str, looked: LabelMap, random: bool) -> str:
    """Return in words what is drawn: the map, the ring, and the numbers behind both.

    Args:
        model: its name.
        label: its words.
        looked: the map.
        random: whether the weights were random.
    """
    rows, columns = looked.map.shape
    whose = f"the network of {model} with random weights" if random else model
    ring = (
        f"Ring: the one of {rows} × {columns} places that adds most to the score, {decimals(looked.share, 2)} of "
        f"the logit {decimals(looked.logit, 2)}."
    )
    if not looked.map.any():
        return f"No place speaks for {label.lower()} in {whose}, so nothing is orange. {ring}"
    return f"Orange: what speaks for {label.lower()} in {whose} (Grad-CAM; the strongest place hides most). {ring}"
