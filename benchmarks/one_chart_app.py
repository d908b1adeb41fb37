"""The yardstick of `page_latency.py`: a Streamlit app with a list, a slider and one chart, run from top to bottom."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

label = st.selectbox("Label", [f"Label {n}" for n in range(14)])
step = st.slider("Step", 0.0, 1.0, 0.6, 0.01)
x = np.linspace(0, 1, 200)
power = 1 + int(label.split()[1]) / 4 + step
st.title(f"{label}: {power:.2f}")
chart = go.Figure(go.Scatter(x=x, y=x**power), layout={"title": {"text": f"{label}, {step:.2f}"}, "height": 450})
st.plotly_chart(chart, key="chart")
