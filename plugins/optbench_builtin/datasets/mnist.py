"""Handwritten digits, 28 x 28 pixels."""

from __future__ import annotations

from typing import ClassVar

from optbench_builtin.idx import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    IdxImages,
)


class Mnist(IdxImages):
    """70,000 handwritten digits of 28 x 28 pixels, ten classes; downloaded at first use, 12 MB."""

    name = "mnist"
    source = (
        "LeCun, Bottou, Bengio & Haffner 1998, Gradient-Based Learning Applied to Document "
        "Recognition"
    )
    url = "https://doi.org/10.1109/5.726791"
    # As published by torchvision (prototype/datasets/_builtin/mnist.py) and, the same, by
    # TensorFlow Datasets (url_checksums/mnist.txt).
    files: ClassVar[dict[str, str]] = {
        TRAIN_IMAGES: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        TRAIN_LABELS: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        TEST_IMAGES: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        TEST_LABELS: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    }
    contents: ClassVar[dict[str, str]] = {
        TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
    mirrors = (
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    )
