"""The table of networks: what each is made by, how it pools, what its public weights expect, what it costs.

A new network of `keras.applications` is one more row; `network` builds it. Loads no TensorFlow.
"""

from dataclasses import dataclass
from typing import Any

AUTO = "auto"
MAX, AVERAGE = POOLINGS = ("max", "average")
#: One channel is the grey of the image in [0, 1], as in the 2019 notebook.
CHANNELS = (1, 3)
#: Means and standard deviations of ImageNet's colours in [0, 1], by which networks in PyTorch's manner normalise.
_MEANS, _DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Normalisation:
    """What three-channel weights expect: `scale * pixel + offset` of each channel, a pixel being in [0, 1]."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]


_LIKE_PYTORCH = Normalisation(
    tuple(1 / deviation for deviation in _DEVIATIONS),
    tuple(-mean / deviation for mean, deviation in zip(_MEANS, _DEVIATIONS, strict=True)),
)
#: Pixels of 0 to 255 without ImageNet's means, blue first.
_LIKE_CAFFE = Normalisation((255.0,) * 3, (-103.939, -116.779, -123.68))
_AROUND_0 = Normalisation((255 / 128,) * 3, (-1.0,) * 3)


@dataclass(frozen=True)
class Architecture:
    """One network.

    Attributes:
        parameters: numbers in its weights, with one channel and 14 outputs.
        pooling: how it usually pools its last feature maps.
        normalisation: what its public weights expect.
        maker: the function of `keras.applications`; "" for a DenseNet, which is built here.
        arguments: what that function is told besides.
        blocks: of a DenseNet, the convolution blocks in each dense block.
        momentum: of a DenseNet, how slowly the running averages of batch norm follow.
        activation_bytes: what the activations of one training image take for each of its pixels.
        cpu_pixels_per_second: trained on with 2 CPU cores; of densenet121 and densenet-small measured, else guessed
            until `benchmarks/network_rates.py` is run.
        preparation_seconds: from the start to the end of the first step, there.
    """

    parameters: int
    pooling: str
    normalisation: Normalisation
    activation_bytes: int
    cpu_pixels_per_second: float
    preparation_seconds: float
    maker: str = ""
    arguments: tuple[tuple[str, Any], ...] = ()
    blocks: tuple[int, ...] = ()
    momentum: float = 0.99

    @property
    def weight_bytes(self) -> int:
        """Bytes of one copy of the weights."""
        return 4 * self.parameters


_UNPREPARED = (("include_preprocessing", False),)
#: An epoch of the demo has some 50 steps. With Keras's momentum of .99 the running averages lag behind for five epochs,
#: and the validation AUC stays at chance meanwhile; the notebook's DenseNet121 keeps .99.
ARCHITECTURES: dict[str, Architecture] = {
    "densenet121": Architecture(7_045_582, MAX, _LIKE_PYTORCH, 4_500, 220_000, 35, blocks=(6, 12, 24, 16)),
    "densenet169": Architecture(12_659_918, MAX, _LIKE_PYTORCH, 5_400, 190_000, 50, blocks=(6, 12, 32, 32)),
    "resnet50": Architecture(23_610_126, AVERAGE, _LIKE_CAFFE, 3_400, 190_000, 30, "ResNet50"),
    "efficientnetv2-s": Architecture(
        20_348_862, AVERAGE, _AROUND_0, 3_900, 140_000, 60, "EfficientNetV2S", _UNPREPARED
    ),
    "convnext-tiny": Architecture(27_827_822, AVERAGE, _LIKE_PYTORCH, 2_800, 120_000, 30, "ConvNeXtTiny", _UNPREPARED),
    "densenet-small": Architecture(
        997_870, MAX, _LIKE_PYTORCH, 1_500, 1_300_000, 15, blocks=(2, 4, 6, 4), momentum=0.9
    ),
}


def pooling_of(architecture: str, chosen: str) -> str:
    """Return how a network pools: as chosen, or with "auto" as it usually does."""
    return ARCHITECTURES[architecture].pooling if chosen == AUTO else chosen
