"""Images: show me what is behind a number."""

import streamlit as st

from cxr_core.errors import DataError, NothingNamedError
from cxr_core.schema import label_words
from dashboard.images.choice import ALL_IMAGES, GROUP_WORDS, chosen_images
from dashboard.images.doubt_note import doubt_note
from dashboard.images.film import film
from dashboard.images.reading import reading
from dashboard.images.reading_terms import READ, has_begun, keep_terms, mode_input
from dashboard.images.wall import wall
from dashboard.shared import image_answers
from dashboard.shared.formatting import count, plain
from dashboard.shared.header import page_header, view_fact
from dashboard.shared.judge_input import judge_fact
from dashboard.shared.model_input import judged_models, listed_models
from dashboard.shared.notebook import image_lines, notebook_lines
from dashboard.shared.source import built_source

source = built_source()
top = st.container()
reads = mode_input() == READ
begun = reads and has_begun()
first = st.container()
with st.expander("What is read", icon=":material/filter_list:") if begun else st.container():
    entries = judged_models(listed_models(source.name))
    choice = chosen_images(source, entries, finds=not reads)
query = choice.query
words = f"Images of “{choice.find}”" if choice.find else GROUP_WORDS[query.group or ALL_IMAGES]
where = [] if choice.find else [view_fact(query.view), f"{query.dataset.capitalize()} set"]
facts = [*where, *([query.model] if query.model else []), *judge_fact(query.judge)]
about = label_words(str(query.label))
try:
    group = image_answers.group(query, choice.find) if not choice.why else None
    why_none = f"There is no such group: {choice.why}."
except (DataError, NothingNamedError) as error:
    group, why_none = None, str(error)
if group is None:
    with top:
        page_header(
            f"{words}: none" + ("" if choice.find else f" of {about.lower()}"), source.name, source.synthetic, *facts
        )
    st.info(plain(why_none), icon=":material/info:")
    st.stop()
if reads:
    with first if begun else st.container():
        reading(source, group, top)
else:
    keep_terms()
    with top:
        page_header(f"{words} for {about.lower()}: {count(group.total)}", source.name, source.synthetic, *facts)
    large = st.container()  # filled last: a map may take seconds, or be cancelled
    doubt_note(query)
    wall(group)
    with large:
        film(choice, entries)
    if group.total:
        notebook_lines(image_lines(query, choice.find))
