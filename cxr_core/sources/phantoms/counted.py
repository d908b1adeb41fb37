"""What stands behind the words of real reports: sums that the demo's reports and readers are made to resemble.

Counted on the 500 test studies of CheXpert (Irvin et al. 2019), whose radiographs eight radiologists read: present is
what a majority of five calls present. Only sums may be passed on, and only sums stand here: shares of 13 findings.
"""

from dataclasses import dataclass

from cxr_core.schema import LABELS, Value

FINDINGS: tuple[str, ...] = LABELS[1:]


@dataclass(frozen=True)
class Counted:
    """Of `read` studies and findings, the share that the radiologists call present."""

    share: float
    read: int


#: What the report says -> the share present, all 13 findings together.
BY_VALUE: dict[Value, Counted] = {
    Value.not_mentioned: Counted(0.140, 4660),
    Value.negative: Counted(0.057, 583),
    Value.uncertain: Counted(0.306, 310),
    Value.positive: Counted(0.582, 947),
}

#: Of the uncertain, by finding. Of each of the other findings none of 3 to 9 was present.
UNCERTAIN: dict[str, Counted] = {
    "enlarged_cardiomediastinum": Counted(18 / 34, 34),
    "cardiomegaly": Counted(4 / 10, 10),
    "edema": Counted(13 / 25, 25),
    "consolidation": Counted(2 / 63, 63),
    "pneumonia": Counted(3 / 38, 38),
    "atelectasis": Counted(44 / 81, 81),
    "pleural_effusion": Counted(9 / 31, 31),
}
UNCERTAIN_ELSEWHERE = Counted(0.0, 9)

#: Of the not mentioned, by finding; next to none of the other findings. How many there were of each finding was not
#: passed on: a thirteenth of all.
_BLANK_OF_EACH = BY_VALUE[Value.not_mentioned].read // len(FINDINGS)
BLANK: dict[str, Counted] = {
    "enlarged_cardiomediastinum": Counted(0.55, _BLANK_OF_EACH),
    "cardiomegaly": Counted(0.26, _BLANK_OF_EACH),
    "airspace_opacity": Counted(0.39, _BLANK_OF_EACH),
    "edema": Counted(0.09, _BLANK_OF_EACH),
    "atelectasis": Counted(0.23, _BLANK_OF_EACH),
    "pleural_effusion": Counted(0.09, _BLANK_OF_EACH),
    "support_devices": Counted(0.25, _BLANK_OF_EACH),
}
BLANK_ELSEWHERE = Counted(0.0, _BLANK_OF_EACH)

#: Mean of Cohen's kappa over the pairs of the eight.
KAPPA: dict[str, float] = {
    "no_finding": 0.41,
    "enlarged_cardiomediastinum": 0.42,
    "cardiomegaly": 0.33,
    "airspace_opacity": 0.59,
    "lung_lesion": 0.36,
    "edema": 0.42,
    "consolidation": 0.24,
    "pneumonia": 0.18,
    "atelectasis": 0.42,
    "pneumothorax": 0.55,
    "pleural_effusion": 0.53,
    "pleural_other": 0.17,
    "fracture": 0.22,
    "support_devices": 0.75,
}
READERS = 8
