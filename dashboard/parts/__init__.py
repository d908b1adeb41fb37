"""Inputs and blocks that several pages share."""
