"""`python -m dashboard`: serve the dashboard; further options go to `streamlit run`."""

import sys

from dashboard.serving import serve

if __name__ == "__main__":
    serve(sys.argv[1:])
