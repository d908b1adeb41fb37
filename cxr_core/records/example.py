"""One chest X-ray as a `tensorflow.Example` message, encoded and decoded without TensorFlow.

The message types live in a descriptor pool of their own, so that they never clash with TensorFlow's.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from cxr_core.errors import RecordError
from cxr_core.schema import (
    DATASETS,
    EQUALISED_FEATURE,
    INTEGER_KEYS,
    JPEG_FEATURE,
    LABELS,
    PATH_FEATURE,
    VIEWS,
    image_path,
)

_Field = descriptor_pb2.FieldDescriptorProto


@dataclass(frozen=True)
class Record:
    """One image with its labels and keys.

    `labels` has the codes (0..3) of the labels that the file tells: one that the data set lacks is not there. `keys`
    has patient, study, image, view and dataset, or is empty where the file does not tell them; `path` is None where the
    file does not tell it. `equalised` says that the histogram of the picture was made flat.
    """

    jpg: bytes
    labels: dict[str, int]
    keys: dict[str, int] = field(default_factory=dict)
    path: str | None = None
    equalised: bool = False


def encode(record: Record) -> bytes:
    """Return the serialised Example: `jpg_bytes`, `path`, the int64 keys and the int64 labels that there are."""
    example = _Example()
    features = example.features.feature
    features[JPEG_FEATURE].bytes_list.value.append(record.jpg)
    if record.path is not None:
        features[PATH_FEATURE].bytes_list.value.append(record.path.encode())
    for name, value in (record.keys | record.labels).items():
        features[name].int64_list.value.append(int(value))
    if record.equalised:
        features[EQUALISED_FEATURE].int64_list.value.append(1)
    return bytes(example.SerializeToString(deterministic=True))


def decode(payload: bytes, where: str) -> Record:
    """Return the record that `payload` holds; `where` names it in errors, as in "record 3 of FILE".

    Raises:
        RecordError: the payload is no Example, lacks `jpg_bytes`, or has a label or key that is no whole number.
    """
    features = features_of(payload, where)
    labels = {label: _integer(features, label) for label in LABELS}
    jpg = _bytes(features, JPEG_FEATURE)
    if jpg is None:
        raise RecordError(f"{where} lacks {JPEG_FEATURE}, the picture. Make the file anew.")
    odd = next((label for label, value in labels.items() if value is None and label in features), None)
    if odd is not None:
        raise RecordError(f"{where} must have one whole number as {odd}. Make the file anew.")
    keys = {name: _integer(features, name) for name in INTEGER_KEYS}
    path = _bytes(features, PATH_FEATURE)
    return Record(
        jpg=jpg,
        labels={label: value for label, value in labels.items() if value is not None},
        keys={name: value for name, value in keys.items() if value is not None},
        path=None if path is None else _text(path, where),
        equalised=_integer(features, EQUALISED_FEATURE) == 1,
    )


def decode_picture(payload: bytes, where: str) -> bytes:
    """Return the JPEG of a serialised record; raises `RecordError` as `decode`."""
    jpg = _bytes(features_of(payload, where), JPEG_FEATURE)
    if jpg is None:
        raise RecordError(f"{where} lacks {JPEG_FEATURE}, the picture. Make the file anew.")
    return jpg


def decode_path(payload: bytes, where: str) -> str | None:
    """Return the path of a serialised record; of one that tells none, the path that its keys give; None without both.

    Raises:
        RecordError: the payload is no Example, or the path no UTF-8.
    """
    features = features_of(payload, where)
    path = _bytes(features, PATH_FEATURE)
    if path is not None:
        return _text(path, where)
    keys = [_integer(features, name) for name in INTEGER_KEYS]
    if None in keys:
        return None
    patient, study, image, view, dataset = (key for key in keys if key is not None)
    if not (0 <= view < len(VIEWS) and 0 <= dataset < len(DATASETS)):
        return None
    return image_path(DATASETS[dataset], patient, study, image, VIEWS[view])


def in_whole_numbers(payload: bytes, where: str) -> bytes:
    """Return a serialised Example whose labels are int64, though they were floats: the same object if they were not.

    A label that is NaN is none.

    Raises:
        RecordError: the payload is no Example, or a label is no whole number.
    """
    example = _parsed(payload, where)
    features = example.features.feature
    floats = [label for label in LABELS if label in features and features[label].float_list.value]
    if not floats:
        return payload
    for label in floats:
        values = list(features[label].float_list.value)
        del features[label]
        if len(values) != 1 or not (math.isnan(values[0]) or values[0].is_integer()):
            raise RecordError(f"{where} has {label} = {values[:3]}. A label must be 0, 1, 2 or 3.")
        if not math.isnan(values[0]):
            features[label].int64_list.value.append(int(values[0]))
    return bytes(example.SerializeToString(deterministic=True))


def features_of(payload: bytes, where: str) -> Any:
    """Return the features of a serialised Example by their names, as protobuf has them; `RecordError` if it is none."""
    return _parsed(payload, where).features.feature


def _parsed(payload: bytes, where: str) -> Any:
    example = _Example()
    try:
        example.ParseFromString(payload)
    except DecodeError as error:
        raise RecordError(f"{where} is no tf.train.Example. Make the file anew.") from error
    return example


def _integer(features: Any, name: str) -> int | None:
    if name not in features or len(features[name].int64_list.value) != 1:
        return None
    return int(features[name].int64_list.value[0])


def _bytes(features: Any, name: str) -> bytes | None:
    if name not in features or len(features[name].bytes_list.value) != 1:
        return None
    return bytes(features[name].bytes_list.value[0])


def _text(path: bytes, where: str) -> str:
    try:
        return path.decode()
    except UnicodeDecodeError as error:
        raise RecordError(f"The path of {where} must be UTF-8. Received: {path[:60]!r}.") from error


def _field(name: str, number: int, kind: "_Field.Type.ValueType", repeated: bool = False, message: str = "") -> _Field:
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    made = _Field(name=name, number=number, type=kind, label=label)
    if message:
        made.type_name = message
    return made


def _example_class() -> Any:
    """Build the message class from the fields of tensorflow/core/example/{example,feature}.proto."""
    file = descriptor_pb2.FileDescriptorProto(name="cxr/example.proto", package="cxr", syntax="proto3")
    for name, kind in (
        ("BytesList", _Field.TYPE_BYTES),
        ("FloatList", _Field.TYPE_FLOAT),
        ("Int64List", _Field.TYPE_INT64),
    ):
        file.message_type.add(name=name).field.append(_field("value", 1, kind, repeated=True))
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("bytes_list", "float_list", "int64_list"), start=1):
        type_name = ".cxr." + "".join(word.capitalize() for word in name.split("_"))
        made = _field(name, number, _Field.TYPE_MESSAGE, message=type_name)
        made.oneof_index = 0
        feature.field.append(made)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.append(_field("key", 1, _Field.TYPE_STRING))
    entry.field.append(_field("value", 2, _Field.TYPE_MESSAGE, message=".cxr.Feature"))
    features.field.append(
        _field("feature", 1, _Field.TYPE_MESSAGE, repeated=True, message=".cxr.Features.FeatureEntry")
    )
    example = file.message_type.add(name="Example")
    example.field.append(_field("features", 1, _Field.TYPE_MESSAGE, message=".cxr.Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("cxr.Example"))


_Example = _example_class()
