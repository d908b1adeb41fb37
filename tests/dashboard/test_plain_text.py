"""What is not ours reaches Streamlit's Markdown through one function only."""

import ast
from pathlib import Path

import pytest
from as_read import as_read

from dashboard.shared.formatting import plain

DASHBOARD = Path(__file__).parents[2] / "dashboard"
#: What Streamlit reads as Markdown.
SHOWN = {
    "badge", "button", "caption", "error", "expander", "header", "info", "link_button", "markdown", "metric", "popover",
    "progress", "spinner", "subheader", "success", "title", "toast", "toggle", "warning", "write",
}  # fmt: skip
#: What others wrote or what quotes them, by the name that the code gives it.
FOREIGN = {
    "detail", "devices", "digest_words", "doubt", "error", "failure", "family", "folder", "group", "message",
    "name", "names", "note", "notes", "problem", "reason", "refused", "tag", "warning", "why", "why_no_ci",
}  # fmt: skip
#: Names that mean something of ours in one place: a number, or words that are made there.
OURS = {
    ("compare/sections.py", "error"), ("evaluate/all_labels.py", "name"), ("evaluate/answer.py", "name"),
    ("evaluate/chosen_on.py", "name"), ("labels/distribution.py", "note"),
    ("labels/figures.py", "names"), ("runs/curves.py", "names"), ("serving.py", "error"),
    ("serving.py", "message"), ("train/plan.py", "name"),
}  # fmt: skip


def shown_calls(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SHOWN:
            yield node


def foreign_parts(node):
    """The names of foreign texts in an expression that `plain` does not wrap."""
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called == "plain" or (called == "map" and ast.unparse(node.args[0]) == "plain"):
            return
    if isinstance(node, ast.Attribute) and node.attr in FOREIGN | {"text"}:
        yield node.attr
    if isinstance(node, ast.Name) and node.id in FOREIGN:
        yield node.id
    if isinstance(node, ast.Compare | ast.Lambda):
        return
    parts = [node.value] if isinstance(node, ast.Subscript) else ast.iter_child_nodes(node)
    for child in parts:
        yield from foreign_parts(child.iter if isinstance(child, ast.comprehension) else child)


def words_of(call):
    """The arguments of a call that are shown: those by position, and the label and the help by name."""
    return [
        *call.args,
        *(keyword.value for keyword in call.keywords if keyword.arg in ("label", "body", "help", "delta")),
    ]


def test_no_foreign_text_goes_past_plain():
    found = [
        f"{file.relative_to(DASHBOARD)}:{call.lineno}: {name}"
        for file in sorted(DASHBOARD.rglob("*.py"))
        for call in shown_calls(file)
        for argument in words_of(call)
        for name in foreign_parts(argument)
        if (str(file.relative_to(DASHBOARD)), name) not in OURS
    ]
    assert not found, found


def test_the_look_for_it_finds_it():
    bad = [
        "st.error(str(error))",
        "st.error(f'{run.name} ended')",
        "st.caption(' '.join(problem for problem in found))",
    ]
    good = ["st.error(plain(error))", "st.error(f'{plain(run.name)} ended')", "st.caption(' '.join(map(plain, names)))"]
    assert all(map(parts_of, bad))
    assert not any(map(parts_of, good))


def parts_of(text):
    return [name for argument in words_of(ast.parse(text, mode="eval").body) for name in foreign_parts(argument)]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Edema: AUC 0.812 (0.78–0.84)", "Edema: AUC 0.812 (0.78–0.84)"),
        ("densenet_frontal_u0_0__w0_0", "densenet_frontal_u0_0__w0_0"),
        ("_a_ *b*", r"\_a\_ \*b\*"),
        ("![i](http://x)", r"!\[i\](http:small[]\://x)"),
        ("www.x.y a@b.c", "www:small[].x.y a:small[]@b.c"),
        (":red[x] :smile:", r"\:red\[x\] \:s:small[]mile:"),
        ("- one\n- two", r"\- one - two"),
        ("1. one", r"1\. one"),
        ("a -> b", r"a -:small[]\> b"),
        ("<img src='x'> $x$", r"\<img src='x'\> \$x\$"),
    ],
)
def test_markup_is_escaped_and_nothing_else(text, escaped):
    assert plain(text) == escaped
    assert as_read(plain(text)) == " ".join(text.split())
