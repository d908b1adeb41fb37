"""Which runs the Runs page lists: search words, kind, status and tags, all of them in the URL."""

from dataclasses import dataclass

import streamlit as st

from cxr_core.runs.store import ACTIVE, CANCELLED, COMPLETED, FAILED, Run
from dashboard.runs.words import kind_words, policy_words
from dashboard.shared import help_texts
from dashboard.shared.choices import Options, select_several

STATUSES = (*ACTIVE, COMPLETED, FAILED, CANCELLED)


@dataclass(frozen=True)
class RunFilter:
    """What a run must have to be listed; what is empty asks for nothing."""

    text: str = ""
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether it leaves any run out."""
        return bool(self.text.strip() or self.kinds or self.statuses or self.tags)

    def keeps(self, run: Run) -> bool:
        """Say whether a run has every search word, one of the kinds, one of the statuses and all of the tags."""
        return (
            (not self.kinds or run.kind in self.kinds)
            and (not self.statuses or run.status in self.statuses)
            and set(self.tags) <= set(run.tags)
            and all(word in _searched(run) for word in self.text.lower().split())
        )


def run_filter(runs: list[Run]) -> RunFilter:
    """Show the search box and the filters, and return what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search",
            key="search",
            bind="query-params",
            placeholder="name, policy, notes …",
            icon=":material/search:",
            width=260,
            help=help_texts.RUN_SEARCH,
        )
        statuses = _several("Status", Options(STATUSES, "status"), "Where a run stands.")
        words = {run.kind: kind_words(run) for run in sorted(runs, key=kind_words)}
        kinds = _several("Kind", Options(list(words), "kind", words.__getitem__), "What kind of work a run does.")
        tags = sorted({tag for run in runs for tag in run.tags})
        tagged = _several("Tags", Options(tags, "tag", what="run with the tag"), help_texts.RUN_TAGS)
    return RunFilter(text or "", tuple(kinds), tuple(statuses), tuple(tagged))


def _several(label: str, options: Options, explained: str) -> list[str]:
    return select_several(label, options, (), explained, placeholder="all", width=220)


def _searched(run: Run) -> str:
    words = (run.run, run.name, kind_words(run), run.kind, run.status, run.source, run.device or "", run.user, run.host)
    return "\n".join([*words, policy_words(run), run.notes, *run.tags, run.reason or ""]).lower()
