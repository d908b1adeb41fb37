"""The yardstick of `images_wall.py`: a Streamlit page with nothing but 24 static JPEGs, made beforehand."""

import os
from pathlib import Path

import streamlit as st

for file in sorted(Path(os.environ["STILL_WALL"]).glob("*.jpg")):
    st.image(file.read_bytes())
