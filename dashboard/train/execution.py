"""The inputs of the Train page that decide how a training is computed rather than what is trained."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from cxr_core.training.options import BATCH_NORMS, CACHE_CHOICES, DECODINGS, PRECISIONS, XLA_CHOICES, TrainOptions
from dashboard.shared import help_texts

MOST_MINUTES = 24 * 60.0


def execution_input(options: TrainOptions) -> TrainOptions:
    """Show the choices and return the options with them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        precision = _choice("Precision", PRECISIONS, options.precision, "precision", help_texts.PRECISION)
        xla = _choice("XLA", XLA_CHOICES, options.xla, "xla", help_texts.XLA)
        batch_norm = _choice("Batch norm", BATCH_NORMS, options.batch_norm, "batch-norm", help_texts.BATCH_NORM)
        decode = _choice("Decoding", DECODINGS, options.decode, "decode", help_texts.DECODE)
        cache = _choice("Keep images in memory", CACHE_CHOICES, options.cache, "cache", help_texts.CACHE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        minutes = st.number_input(
            "Minutes between checkpoints",
            0.0,
            MOST_MINUTES,
            options.checkpoint_minutes,
            1.0,
            key="train-checkpoint-minutes",
            bind="query-params",
            help=help_texts.CHECKPOINT_MINUTES,
        )
        augment = st.toggle(
            "Vary the images", options.augment, key="train-augment", bind="query-params", help=help_texts.AUGMENT
        )
    return replace(
        options,
        precision=precision,
        xla=xla,
        batch_norm=batch_norm,
        decode=decode,
        cache=cache,
        augment=bool(augment),
        checkpoint_minutes=float(minutes),
    )


def _choice(label: str, choices: Sequence[str], default: str, key: str, text: str) -> str:
    chosen = st.selectbox(
        label, choices, list(choices).index(default), key=f"train-{key}", bind="query-params", help=text, width=200
    )
    return chosen or default
