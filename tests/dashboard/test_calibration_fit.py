from test_pages import metrics

from cxr_core.tasks.details import all_details

MODEL = "densenet_frontal_u0_0__w0_0"


def test_slope_intercept_and_o_to_e_are_those_of_the_command_line(small_demo, page):
    fit = all_details("demo", MODEL, "valid", None, "report")["support_devices"].calibration
    shown = metrics(page("evaluate", model=MODEL, label="support_devices", **{"point-tab": "Calibration"}))
    assert shown["Calibration slope"] == f"{fit.slope:.3f}"
    assert shown["Calibration intercept"] == f"{fit.intercept:.3f}"
    assert shown["Observed : expected"] == f"{fit.observed_to_expected:.3f}"
