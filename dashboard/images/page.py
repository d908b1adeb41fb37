"""Images: show me what is behind a number."""

import streamlit as st

from cxr_core.schema import label_words
from dashboard.images.choice import GROUP_WORDS, chosen_images
from dashboard.images.film import film
from dashboard.images.wall import wall
from dashboard.shared import engine, image_answers
from dashboard.shared.formatting import count, plain
from dashboard.shared.header import page_header, view_fact
from dashboard.shared.judge_input import judge_fact
from dashboard.shared.model_input import judged_models
from dashboard.shared.source import built_source

source = built_source()
top = st.container()
choice = chosen_images(source, judged_models(engine.models(source.name)))
query = choice.query
words = GROUP_WORDS[str(query.group)]
facts = [view_fact(query.view), f"{query.dataset.capitalize()} set", *([query.model] if query.model else [])]
facts += judge_fact(query.judge)
about = label_words(str(query.label))
if choice.why:
    with top:
        page_header(f"{words}: none of {about.lower()}", source.name, source.synthetic, *facts)
    st.info(f"There is no such group: {plain(choice.why)}.", icon=":material/info:")
    st.stop()
group = image_answers.group(query)
with top:
    page_header(f"{words} for {about.lower()}: {count(group.total)}", source.name, source.synthetic, *facts)
film(choice)
wall(group)
