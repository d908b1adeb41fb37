"""Which models stand side by side on the Compare page: the user's own first, the pretrained ones after them."""

from cxr_core.models.listing import ModelEntry
from cxr_core.schema import label_words
from dashboard.shared import help_texts
from dashboard.shared.choices import Options, pick_one, select_several
from dashboard.shared.model_input import ALL_VIEWS
from dashboard.shared.preferred import view_to_begin_with

VIEWS = ("frontal", "lateral", "other")
#: Models that no single view is told of: some imported ones, ensembles of such, ensembles of studies.
NO_VIEW = "none"
MOST_CHOSEN = 8


def view_of_models(entries: list[ModelEntry]) -> str:
    """Show the views that there are models of, and return the one that was chosen."""
    present = [view for view in (*VIEWS, NO_VIEW) if any(_view(entry) == view for entry in entries)]
    present += [ALL_VIEWS] if len(present) > 1 else []
    usual, pinned = view_to_begin_with(present, default_view(entries, present))
    options = Options(present, "models-view", _words, pinned=pinned)
    return pick_one("View of the models", options, usual, help_texts.MODELS_VIEW)


def default_view(entries: list[ModelEntry], present: list[str]) -> str:
    """Return the view that shows the user's own models: theirs where it is one, else all; without any the first."""
    own = {_view(entry) for entry in entries if not entry.is_pretrained}
    if not own:
        return present[0]
    one = own.pop() if len(own) == 1 else NO_VIEW
    return present[-1] if one == NO_VIEW else one


def chosen_models(entries: list[ModelEntry], view: str) -> list[str]:
    """Show the models of a view, the user's own first, and return those that were chosen."""
    names = [entry.name for entry in own_first(entries) if view in (ALL_VIEWS, _view(entry))]
    options = Options(names, f"models-{view}", what="model", where=" with predictions here")
    return select_several("Models", options, names[:MOST_CHOSEN], help_texts.MODEL)


def own_first(entries: list[ModelEntry]) -> list[ModelEntry]:
    """Return the entries with the user's own models before the pretrained ones, each part in its order."""
    return sorted(entries, key=lambda entry: entry.is_pretrained)


def _view(entry: ModelEntry) -> str:
    return entry.view if entry.view in VIEWS else NO_VIEW


def _words(view: str) -> str:
    return "No single view" if view == NO_VIEW else label_words(view)
