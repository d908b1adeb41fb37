import hashlib
import json

import numpy as np
import pytest

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.model_names import parse_model_name
from cxr_core.policy_files import policy_from_file
from cxr_core.schema import LABELS
from cxr_core.uncertainty import Policy, named_policy, uniform_policy


def per_label_entries() -> dict[str, dict[str, float]]:
    return {label: {"u": index / 20, "w": 1 - index / 20} for index, label in enumerate(LABELS)}


@pytest.mark.parametrize(
    ("name", "u", "w"), [("ignore", 0, 0), ("negative", 0, 1), ("positive", 1, 1), ("hybrid", 0.5, 0.25)]
)
def test_the_four_strategies_of_2019_have_their_u_and_w(name, u, w):
    policy = named_policy(name)
    assert (policy.name, policy.u_scalar, policy.w_scalar) == (name, u, w)


def test_a_pair_that_is_one_of_the_four_strategies_bears_its_name():
    assert uniform_policy(0.5, 0.25).name == "hybrid"
    assert uniform_policy(0.4, 0.75).name == "custom"


def test_the_tables_are_those_of_the_notebook():
    policy = uniform_policy(0.4, 0.75)
    assert policy.targets().shape == policy.weights().shape == (4, 14)
    assert policy.targets().dtype == policy.weights().dtype == np.float32
    for label in range(14):
        np.testing.assert_array_equal(policy.targets()[:, label], np.float32([0, 0, 0.4, 1]))
        np.testing.assert_array_equal(policy.weights()[:, label], np.float32([1, 1, 0.75, 1]))


@pytest.mark.parametrize(
    ("u", "w", "suffix"),
    [(0, 0, "u0_0__w0_0"), (0, 1, "u0_0__w1_0"), (0.5, 0.25, "u0_5__w0_25"), (0.4, 0.75, "u0_4__w0_75")],
)
def test_the_suffix_is_spelled_as_in_the_pretrained_models_names(u, w, suffix):
    assert uniform_policy(u, w).suffix() == suffix
    assert parse_model_name(f"densenet_lateral_{suffix}") == ("lateral", u, w)


@pytest.mark.parametrize(
    "name", ["my_model", "densenet_frontal", "densenet_frontal_u0__w0", "resnet_frontal_u0_0__w0_0"]
)
def test_a_name_of_another_pattern_tells_nothing(name):
    assert parse_model_name(name) == (None, None, None)


def test_a_number_above_one_in_a_name_is_no_u():
    assert parse_model_name("densenet_frontal_u3_0__w0_5") == ("frontal", None, 0.5)


@pytest.mark.parametrize("wrong", [1.5, -0.1, float("nan"), float("inf")])
def test_u_and_w_outside_zero_to_one_are_refused(wrong):
    with pytest.raises(UsageError, match=r"u must be a number from 0 to 1\. Received"):
        uniform_policy(wrong, 0.5)
    with pytest.raises(UsageError, match=r"w must be a number from 0 to 1\. Received"):
        uniform_policy(0.5, wrong)


def test_an_unknown_strategy_is_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="ignore, negative, positive, hybrid"):
        named_policy("ignroe")


@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_a_policy_file_gives_u_and_w_per_label(tmp_path, suffix):
    entries = per_label_entries()
    lines = [f"{label} = {{u = {pair['u']}, w = {pair['w']}}}" for label, pair in entries.items()]
    path = tmp_path / f"mine{suffix}"
    path.write_text(json.dumps(entries) if suffix == ".json" else "\n".join(lines))
    policy = policy_from_file(path)
    assert policy.u == tuple(pair["u"] for pair in entries.values())
    assert policy.w == tuple(pair["w"] for pair in entries.values())
    assert (policy.name, policy.u_scalar, policy.suffix()) == ("mine", None, f"policy_{policy.digest}")


def test_a_policy_file_with_one_pair_for_all_labels_is_that_strategy(tmp_path):
    path = tmp_path / "same.json"
    path.write_text(json.dumps({label: {"u": 1, "w": 1} for label in LABELS}))
    assert policy_from_file(path) == named_policy("positive")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda entries: entries.pop("edema"), "lacks edema"),
        (lambda entries: entries.update(oedema={"u": 0, "w": 0}), "unknown oedema"),
        (lambda entries: entries.update(edema={"u": 1.5, "w": 0}), r"u must be .* for edema\. Received: 1\.5"),
        (lambda entries: entries.update(edema={"u": 1}), "needs two numbers"),
        (lambda entries: entries.update(edema=3), "needs two numbers"),
        (lambda entries: entries["edema"].update(blank_u="often"), "needs two numbers"),
        (lambda entries: entries["edema"].update(blank_w=2), r"blank_w must be .* for edema\. Received: 2"),
    ],
)
def test_a_wrong_policy_file_is_refused_by_what_is_wrong(tmp_path, change, said):
    entries = per_label_entries()
    change(entries)
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(UsageError, match=said):
        policy_from_file(path)


@pytest.mark.parametrize("content", ["{", "[1, 2]"])
def test_a_policy_file_that_is_no_mapping_is_refused(tmp_path, content):
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="policy file"):
        policy_from_file(path)
    with pytest.raises(UsageError, match="cannot be read"):
        policy_from_file(tmp_path / "absent.toml")


def test_blanks_are_absent_at_full_weight_unless_said_otherwise():
    plain = Policy("mine", (0.4,) * 14, (0.75,) * 14)
    said = Policy("mine", (0.4,) * 14, (0.75,) * 14, (0.2,) * 14, (0.5,) * 14)
    assert not plain.says_of_blanks
    assert set(plain.as_dict()) == {"name", "u", "w"}
    for label in range(14):
        np.testing.assert_array_equal(said.targets()[:, label], np.float32([0.2, 0, 0.4, 1]))
        np.testing.assert_array_equal(said.weights()[:, label], np.float32([0.5, 1, 0.75, 1]))
    assert said.digest != plain.digest
    assert (said.u_scalar, said.w_scalar, said.suffix()) == (None, None, f"policy_{said.digest}")
    assert Policy.from_dict(json.loads(json.dumps(said.as_dict()))) == said


def test_mask_blanks_counts_what_the_report_states_and_nothing_else():
    policy = named_policy("mask-blanks")
    np.testing.assert_array_equal(policy.weights(), np.repeat(np.float32([[0], [1], [0], [1]]), 14, axis=1))
    np.testing.assert_array_equal(policy.targets()[[1, 3]], np.repeat(np.float32([[0], [1]]), 14, axis=1))
    assert (policy.suffix(), policy.u_scalar, policy.w_scalar) == ("mask-blanks", None, None)
    assert policy.digest != named_policy("ignore").digest
    assert Policy.from_dict(policy.as_dict()) == policy
    assert parse_model_name("densenet_frontal_mask-blanks") == (None, None, None)
    with pytest.raises(UsageError, match="mask-blanks has weight 0 for blank"):
        Policy("mask-blanks", (0.0,) * 14, (0.0,) * 14)


def test_a_policy_file_gives_blanks_label_by_label(tmp_path):
    entries = per_label_entries()
    entries["edema"] |= {"blank_u": 0.3, "blank_w": 0.5}
    entries["fracture"] |= {"blank_w": 0}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(entries))
    policy = policy_from_file(path)
    edema, fracture = LABELS.index("edema"), LABELS.index("fracture")
    assert (policy.blank_u[edema], policy.blank_w[edema]) == (0.3, 0.5)
    assert (policy.blank_u[fracture], policy.blank_w[fracture]) == (0, 0)
    assert sum(policy.blank_u) == 0.3
    assert sum(policy.blank_w) == 12.5


def test_a_policy_file_without_weight_for_blanks_is_mask_blanks(tmp_path):
    path = tmp_path / "same.json"
    path.write_text(json.dumps({label: {"u": 0, "w": 0, "blank_w": 0} for label in LABELS}))
    assert policy_from_file(path) == named_policy("mask-blanks")


def test_a_policy_survives_json():
    policy = Policy("mine", tuple(i / 20 for i in range(14)), (0.5,) * 14)
    assert Policy.from_dict(json.loads(json.dumps(policy.as_dict()))) == policy


@pytest.mark.parametrize("values", [{}, {"name": "x", "u": [0], "w": [0] * 14}, {"name": "x", "u": 3, "w": 4}])
def test_a_policy_that_is_not_fourteen_pairs_is_refused(values):
    with pytest.raises(UsageError, match="policy needs"):
        Policy.from_dict(values)


def test_a_policy_that_bears_a_strategys_name_has_its_numbers():
    with pytest.raises(UsageError, match=r"The policy hybrid is u = 0\.5, w = 0\.25"):
        Policy.from_dict({"name": "hybrid", "u": [0.1] * 14, "w": [0.25] * 14})


@pytest.mark.parametrize("name", ["", "<b>", "a b", "x" * 129])
def test_a_policys_name_is_one_that_a_page_and_a_file_can_bear(name):
    with pytest.raises(UsageError, match="policy needs a name"):
        Policy.from_dict({"name": name, "u": [0.1] * 14, "w": [0.25] * 14})


@pytest.mark.parametrize("stem", ["hybrid", "learned", "mask-blanks", "two words"])
def test_a_policy_file_cannot_borrow_a_name(tmp_path, stem):
    path = tmp_path / f"{stem}.json"
    path.write_text(json.dumps(per_label_entries()))
    assert policy_from_file(path).name == "custom"


def test_the_digest_follows_the_numbers_and_nothing_else():
    us, ws = tuple(i / 20 for i in range(14)), (0.5,) * 14
    mine, yours = Policy("mine", us, ws), Policy("yours", us, ws)
    assert mine.digest == yours.digest
    # sha256 of [false, [0.5 fourteen times], [0.25 fourteen times]] as JSON, worked out by hand
    listed = ", ".join(["0.5"] * 14), ", ".join(["0.25"] * 14)
    known = hashlib.sha256(f"[false, [{listed[0]}], [{listed[1]}]]".encode()).hexdigest()[:8]
    assert named_policy("hybrid").digest == uniform_policy(0.5, 0.25).digest == known
    others = [Policy("mine", us, (0.4,) * 14), Policy("mine", us[::-1], ws), Policy("learned", us, ws)]
    assert len({mine.digest, *(other.digest for other in others)}) == 4
    assert uniform_policy(1, 1).digest == uniform_policy(1.0, 1.0).digest


def test_a_learned_policy_has_no_single_u_and_w():
    policy = named_policy("learned")
    assert (policy.u_scalar, policy.w_scalar, policy.suffix(), policy.is_learned) == (None, None, "learned", True)
    assert set(policy.u) == {0.5}
    assert Policy.from_dict(policy.as_dict()) == policy


def test_a_policy_says_in_words_what_it_is():
    assert named_policy("hybrid").words() == "hybrid (u 0.5, w 0.25)"
    assert uniform_policy(0.4, 0.75).words() == "u 0.4, w 0.75"
    mine = Policy("mine", tuple(i / 20 for i in range(14)), (0.5,) * 14)
    assert mine.words() == f"mine (policy {mine.digest})"
