"""Leaving no trace of a network that is done with, so that the next one is built as in a new process."""

import gc

import keras


def forget_networks() -> None:
    """Free what networks hold, and let the names of layers begin anew."""
    keras.backend.clear_session()
    gc.collect()
