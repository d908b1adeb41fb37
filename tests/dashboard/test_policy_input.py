"""The loss that Train shows is that of the policy that is chosen, and of no other."""

from dataclasses import replace

import pytest

from cxr_core.policy_kinds import SELF_TRAINED, SOFT, THREE_CLASS
from cxr_core.uncertainty import kind_policy, named_policy
from dashboard.shared.policy_input import loss_formula

OF_THE_IMAGE, OF_THREE_CLASSES = r"w_i\cdot\ell(y_{ni},\,u_{ni})", r"\ell_3"


@pytest.mark.parametrize("kind", [SELF_TRAINED, f"{SELF_TRAINED}:m", SOFT])
def test_u_of_each_image_has_no_third_class(kind):
    formula = loss_formula(kind_policy(kind))
    assert OF_THE_IMAGE in formula
    assert OF_THREE_CLASSES not in formula


def test_three_classes_have_no_u():
    formula = loss_formula(kind_policy(THREE_CLASS))
    assert OF_THREE_CLASSES in formula
    assert "u_" not in formula


def test_some_labels_of_three_classes_and_some_of_u_are_both_shown():
    mixed = replace(kind_policy(SOFT), kinds=(THREE_CLASS, *[SOFT] * 13))
    assert rf"{OF_THREE_CLASSES} \text{{ or }} {OF_THE_IMAGE}" in loss_formula(mixed)


def test_numbers_stand_where_all_labels_have_them():
    assert r"0.25\cdot\ell(y_{ni},\,0.5)" in loss_formula(named_policy("hybrid"))
