"""Which runs the Runs page lists: search words, kind, status and tags, all of them in the URL."""

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from cxr_core.runs.store import ACTIVE, CANCELLED, COMPLETED, FAILED, Run
from dashboard.runs.words import kind_words, policy_words
from dashboard.shared import help_texts

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
            (not self.kinds or kind_words(run) in self.kinds)
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
        statuses = _several("Status", "status", STATUSES, "Where a run stands.")
        kinds = _several("Kind", "kind", sorted({kind_words(run) for run in runs}), "What kind of work a run does.")
        tags = _several("Tags", "tag", sorted({tag for run in runs for tag in run.tags}), help_texts.RUN_TAGS)
    return RunFilter(text or "", tuple(kinds), tuple(statuses), tuple(tags))


def _several(label: str, key: str, options: Iterable[str], explained: str) -> list[str]:
    return st.multiselect(
        label, list(options), key=key, bind="query-params", placeholder="all", width=220, help=explained
    )


def _searched(run: Run) -> str:
    words = (run.run, run.name, kind_words(run), run.kind, run.status, run.source, run.device or "", run.user, run.host)
    return "\n".join([*words, policy_words(run), run.notes, *run.tags, run.reason or ""]).lower()
