from cxr_core.errors import UnknownNameError


def test_an_unknown_name_lists_what_there_is_but_not_hundreds_of_them():
    assert str(UnknownNameError("view", "x", ("frontal", "lateral"))) == (
        "Unknown view 'x'. Choose one of: frontal, lateral."
    )
    told = str(UnknownNameError("run", "x", [f"run{number}" for number in range(500)]))
    assert told.startswith("Unknown run 'x'. Choose one of: run0, run1,")
    assert told.endswith("run29 and 470 more.")
    assert "there is none yet" in str(UnknownNameError("run", "x", []))
