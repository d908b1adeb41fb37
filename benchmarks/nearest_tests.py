"""Which tests are the nearest of each module that faults are put into: the one table of `mutation_run.py`.

A fault counts as seen only if these tests see it, not if some other test of the whole suite happens to.
"""

_EVALUATION = {
    "agreement": "agreement",
    "areas": "areas",
    "binary": "binary",
    "calibration": "calibration",
    "calibration_fit": "calibration decision",
    "comparison": "comparison",
    "curves": "curves",
    "decision": "decision",
    "defined": "labels comparison",
    "delong": "delong",
    "effects": "effects",
    "ensembles": "ensembles",
    "fitted": "fitted",
    "gaps": "gaps gap_simulations",
    "grid": "grid",
    "grid_tests": "grid",
    "influence": "influence",
    "intervals": "intervals",
    "judge_agreement": "judge_agreement",
    "judged_labels": "judge_agreement ranking",
    "labels": "labels",
    "means": "labels",
    "operating": "operating",
    "operating_json": "gaps",
    "partial_auc": "decision curves",
    "patient_sums": "calibration agreement effects",
    "placement": "effects",
    "probabilities": "calibration ensembles",
    "proportions": "proportions",
    "ranking": "ranking",
    "reader_differences": "reader_differences",
    "readers": "readers",
    "resamples": "intervals",
    "results": "labels comparison",
    "share_gap": "gaps gap_simulations",
    "shares": "shares",
    "simultaneous": "simultaneous",
    "subgroups": "subgroups",
    "thresholds": "thresholds",
    "uncertain": "sorted_label",
    "verdicts": "verdicts",
    "weighted": "intervals",
    "without_readings": "without_readings",
}
_RUNS = {
    "database": "store",
    "identity": "identity",
    "lanes": "lanes store",
    "queue": "store",
    "reconcile": "reconcile",
    "run": "store reconcile",
    "store": "store",
}
#: Imports are tested through the tasks, by files as people have them.
_IMPORTING = {
    "binary_table": "tasks/test_import_predictions tasks/test_label_dialects",
    "cells": "sources/test_cells tasks/test_import_labels",
    "choices": "tasks/test_import_labels",
    "delimited_text": "tasks/test_label_dialects",
    "dialect": "tasks/test_label_dialects",
    "dicom_pictures": "sources/test_pictures",
    "findings": "tasks/test_label_questions tasks/test_public_layouts",
    "grey_range": "sources/test_pictures",
    "group_joins": "tasks/test_import_groups",
    "group_rows": "tasks/test_import_groups",
    "identifiers": "sources/test_identifiers tasks/test_import_predictions",
    "image_files": "sources/test_pictures tasks/test_import_images",
    "image_parts": "tasks/test_import_images",
    "image_plan": "tasks/test_import_images",
    "joined_tables": "tasks/test_public_layouts",
    "json_lines": "tasks/test_public_layouts",
    "kept_mappings": "tasks/test_label_questions",
    "label_rows": "tasks/test_import_labels tasks/test_label_questions tasks/test_public_layouts",
    "layouts": "tasks/test_public_layouts",
    "mapping": "tasks/test_label_questions",
    "matching": "tasks/test_import_predictions tasks/test_import_images",
    "mimic": "tasks/test_import_labels tasks/test_label_questions tasks/test_public_layouts",
    "one_file": "tasks/test_import_labels tasks/test_label_questions tasks/test_public_layouts",
    "packed_files": "tasks/test_label_dialects tasks/test_malformed_imports",
    "pictures": "sources/test_pictures tasks/test_import_images",
    "prediction_keys": "tasks/test_import_predictions",
    "reading_rows": "tasks/test_import_readings",
    "reading_table": "tasks/test_import_readings tasks/test_reading_files tasks/test_public_layouts",
    "row_keys": "tasks/test_import_labels tasks/test_label_questions tasks/test_public_layouts",
    "row_places": "tasks/test_import_labels tasks/test_label_questions tasks/test_public_layouts",
    "several_rows": "tasks/test_label_questions tasks/test_public_layouts",
    "spelling": "tasks/test_label_questions tasks/test_import_labels",
    "text_table": "tasks/test_label_dialects",
    "unpacked": "tasks/test_label_dialects sources/test_small_and_huge",
    "workbook": "tasks/test_label_dialects",
}

#: Module -> its nearest tests, both as paths from the project's folder.
NEAREST: dict[str, list[str]] = {
    **{
        f"cxr_core/evaluation/{module}.py": [f"tests/evaluation/test_{name}.py" for name in tests.split()]
        for module, tests in _EVALUATION.items()
    },
    "cxr_core/uncertainty.py": ["tests/test_uncertainty.py"],
    **{
        f"cxr_core/runs/{module}.py": [f"tests/runs/test_{name}.py" for name in tests.split()]
        for module, tests in _RUNS.items()
    },
    **{
        f"cxr_core/sources/importing/{module}.py": [f"tests/{name}.py" for name in tests.split()]
        for module, tests in _IMPORTING.items()
    },
}
