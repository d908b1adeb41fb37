"""The button that makes the pack of a paper."""

from collections.abc import Sequence

from dashboard.shared.downloads import download_file

_HELP = (
    "One ZIP file for a paper: page, participants' flow, tables as CSV and LaTeX, figures as SVG and PDF, methods, and "
    "the items of CLAIM, TRIPOD+AI and STARD-AI. Making it takes some seconds for each model."
)


def pack_button(
    source: str, models: Sequence[str], dataset: str, view: str | None, judge: str, cards: Sequence[str] = ()
) -> None:
    """Offer the pack of models on a data set; it is made when the button is pressed, outside the page's script."""

    def made() -> bytes:
        # Matplotlib takes a second to load.
        from cxr_core.pack.files import pack_files
        from cxr_core.pack.zipped import zipped
        from cxr_core.tasks.pack_document import pack_document

        return zipped(pack_files(pack_document(source, models, dataset, view, judge, cards)), name)

    name = f"{models[0] if len(models) == 1 else 'models'}-{dataset}-pack"
    download_file(made, f"{name}.zip", "application/zip", "Download for a paper", _HELP)
