"""Articles of clothing, 28 x 28 pixels."""

from __future__ import annotations

from typing import ClassVar

from optbench_builtin.idx import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    IdxImages,
)


class FashionMnist(IdxImages):
    """70,000 articles of clothing, 28 x 28 pixels, ten classes; downloaded at first use, 31 MB."""

    name = "fashion-mnist"
    source = "Xiao, Rasul & Vollgraf 2017, Fashion-MNIST: a Novel Image Dataset"
    url = "https://arxiv.org/abs/1708.07747"
    # As published by torchvision (prototype/datasets/_builtin/mnist.py) and, the same, by
    # TensorFlow Datasets (url_checksums/fashion_mnist.txt).
    files: ClassVar[dict[str, str]] = {
        TRAIN_IMAGES: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        TRAIN_LABELS: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        TEST_IMAGES: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        TEST_LABELS: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    }
    # The same in Debian's package dataset-fashion-mnist, which compresses them in its own way.
    contents: ClassVar[dict[str, str]] = {
        TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
    mirrors = (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    )
