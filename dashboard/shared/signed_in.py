"""Who is logged in, and the way out, at the foot of the sidebar; nothing where nobody has to log in."""

import streamlit as st

from cxr_core.caller import caller
from cxr_core.settings import settings
from dashboard.shared.formatting import plain


def who_is_signed_in() -> None:
    """Show the name and role of whoever logged in by the provider, and the button that ends it."""
    if not settings().auth_provider:
        return
    who = caller()
    with st.sidebar:
        st.caption(f"{plain(who.name)} · {who.role}")
        if st.button("Log out", icon=":material/logout:", key="log-out", help="Ends this login in every tab."):
            st.logout()
