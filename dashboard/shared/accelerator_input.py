"""What the machine can train on: the CPU at once, the rest as soon as another process has asked TensorFlow."""

import threading
from collections.abc import Sequence
from typing import Literal

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.runs.run import HERE
from cxr_core.tasks.machine_devices import accelerators, known_accelerators
from cxr_core.training.execution_options import ACCELERATORS, ANY_DEVICE
from cxr_core.training.probe import Accelerator
from dashboard.shared import help_texts
from dashboard.shared.formatting import plain

WORDS = {"cpu": "CPU", "gpu": "Single GPU", "multi-gpu": "Multi-GPU", "tpu": "TPU", "multi-worker": "Several machines"}
LOOK_SECONDS = 2.0


class Probe:
    """One question to TensorFlow in another process, asked by a thread so that the page need not wait."""

    def __init__(self) -> None:
        self.failure = ""
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        try:
            accelerators()
        except CxrError as error:
            self.failure = str(error)


@st.cache_resource(show_spinner=False)
def _probe(_home: str) -> Probe:
    return Probe()


def accelerator_input(place: str) -> tuple[str, str]:
    """Show the accelerators and return the one that was chosen, and which device of it.

    Those of another place than here are not known: all that one job can have are offered.
    """
    if place != HERE:
        return _accelerator_there(place), ANY_DEVICE
    known = known_accelerators() or []
    chosen = st.segmented_control(
        "Accelerator",
        usable(ACCELERATORS),
        default="cpu",
        required=True,
        format_func=WORDS.__getitem__,
        key="train-accelerator",
        bind="query-params",
        wrap=True,
        help=help_texts.ACCELERATOR,
    )
    device = device_input(chosen or "cpu", key="train-device", bind="query-params")
    if known:
        _reasons(known)
    else:
        _checking()
    return chosen or "cpu", device


def _accelerator_there(place: str) -> str:
    chosen = st.segmented_control(
        "Accelerator",
        [name for name in ACCELERATORS if name != "multi-worker"],
        default="cpu",
        required=True,
        format_func=WORDS.__getitem__,
        key="train-accelerator-there",
        bind="query-params",
        wrap=True,
        help="The hardware that trains, as the description of the place asks for it.",
    )
    st.caption(
        f":material/info: Which of these {plain(place)} has is not known here; a run that lacks it fails at once."
    )
    return chosen or "cpu"


def device_input(accelerator: str, key: str, bind: Literal["query-params"] | None = None) -> str:
    """Show the GPUs where one of several is to be used, and return the one that was chosen, or "auto"."""
    gpus = next((one.devices for one in known_accelerators() or [] if one.name == "gpu"), ())
    if accelerator != "gpu" or len(gpus) < 2:
        return ANY_DEVICE
    chosen = st.segmented_control(
        "Device",
        (ANY_DEVICE, *gpus),
        default=ANY_DEVICE,
        required=True,
        key=key,
        bind=bind,
        help=help_texts.DEVICE,
    )
    return chosen or ANY_DEVICE


def usable(names: Sequence[str]) -> list[str]:
    """Return those of the accelerators that this machine is known to have; the CPU always."""
    there = {one.name for one in known_accelerators() or [] if one.available}
    return [name for name in names if name == "cpu" or name in there]


def _reasons(known: list[Accelerator]) -> None:
    for one in known:
        if one.available:
            named = ", ".join(device for device in one.devices if device != WORDS[one.name])
            st.caption(f":material/check: **{WORDS[one.name]}**" + (f": {plain(named)}" if named else " is available"))
        elif not one.available:
            st.caption(f":material/block: **{WORDS[one.name]}** is not available: {plain(one.reason)}")


@st.fragment(run_every=LOOK_SECONDS)
def _checking() -> None:
    """Ask TensorFlow in the background; the whole page is drawn again once the answer is there."""
    from cxr_core.settings import settings

    probe = _probe(str(settings().home))
    if probe.failure:
        st.caption(f":material/warning: GPUs and TPUs could not be looked for: {plain(probe.failure)}")
    elif known_accelerators() is not None:
        st.rerun(scope="app")
    else:
        st.caption(":material/hourglass_top: Looking for GPUs and TPUs …")
