"""Entry point: navigation, source picker, theme.

Streamlit runs this file as `__main__` for every page view. When it starts the server it imports the file as a module
and looks for `app`: the only moment at which the settings can still decide on the port.
"""

from pathlib import Path

import streamlit as st

#: A picture in the text: an icon by name would be fetched from the network.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#1B222B"/>'
    '<path d="M16 5v22M15 9Q6 9 6 15M15 14Q7 14 7 20M15 19Q9 19 9 25M17 9q9 0 9 6M17 14q8 0 8 6M17 19q6 0 6 6"'
    ' stroke="#E4E9EF" stroke-width="2" fill="none" stroke-linecap="round"/></svg>'
)

if __name__ == "__main__":
    from dashboard.shared.endless_numbers import leave_out_endless_numbers
    from dashboard.shared.navigation import open_with_values, page_table
    from dashboard.shared.page_frame import page_frame
    from dashboard.shared.signed_in import who_is_signed_in
    from dashboard.shared.source import pick_source
    from dashboard.shared.theme import house_style

    st.set_page_config(
        page_icon=ICON,
        layout="wide",
        menu_items={"About": "**CXR Lab**: chest X-ray classifiers with uncertain labels. Not a medical device."},
    )
    page = st.navigation(page_table())
    st.set_page_config(page_title=f"{page.title} · CXR Lab")
    house_style()
    leave_out_endless_numbers()
    open_with_values()
    with page_frame():
        pick_source()
        who_is_signed_in()
        page.run()
else:
    from dashboard.counters import Counters
    from dashboard.operation import operation_routes
    from dashboard.page_html import page_routes
    from dashboard.provider import provider_secrets
    from dashboard.serving import announced, follow_settings, middleware
    from dashboard.shared.navigation import PAGES
    from dashboard.thumbnails import thumbnail_routes

    follow_settings()
    names, counters = [page.name for page in PAGES], Counters()
    routes = [*page_routes(names), *thumbnail_routes(), *operation_routes(counters)]
    passed = middleware(counters, names)
    app = st.App(Path(__file__), lifespan=announced, routes=routes, middleware=passed, secrets=provider_secrets())
